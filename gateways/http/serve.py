"""The HTTP door's process: orders over REST and WebSocket (interface R5) on one ring.

    sockets -> keys -> routes -> desk (codec) -> dispatch -> command ring
    sockets <- problems, session <-  outcome  <- dispatch <- event ring

Started by the supervisor with its settings. Nothing is decided here: the parts are
joined; how they live and end is that of every door (gateways/commands/serving.py).
"""

import uvloop

from engine.contract.port import Port
from engine.rules.stored import FOLDER
from engine.settings.config import DoorSettings
from gateways.commands.pump import Pump
from gateways.commands.serving import Chores, serve_until, told_to_stop
from gateways.entry.desk import Desk
from gateways.entry.dispatch import Dispatcher
from gateways.entry.rule_files import RuleFiles
from gateways.http.connections import OrderServer
from gateways.http.keys import key_ring
from gateways.http.sockets import Sockets
from gateways.process.guard import guard_of
from gateways.process.start import keep_clients_out_of_the_log, raise_descriptor_limit
from gateways.process.workshop import Workshop

PROGRAM = "engine.trading.rules.workshop"


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM."""
    connections_max = raise_descriptor_limit(door.limits.connections)
    with Port.attach(door.data_dir, door.ring_name) as gate:
        uvloop.run(serve(door, gate, connections_max))


async def serve(door: DoorSettings, gate: Port, connections_max: int) -> None:
    """Join the parts and run them until a signal says stop."""
    keep_clients_out_of_the_log()
    stopping = told_to_stop()
    keys = key_ring(door.keys, [gate.next_session() for _ in door.keys])
    desk = Desk(
        gate.state(),
        lambda reports, settled: Dispatcher(gate, reports, lambda: pump.wake(), settled),
        gate.state_turn,
        keys.owners,
        RuleFiles(Workshop(door.data_dir / FOLDER, PROGRAM)),
    )
    sockets = Sockets(keys, desk, gate.next_session, door.limits)
    server = OrderServer(
        sockets.handle, sockets.plain, guard_of(door), door.limits, connections_max=connections_max
    )
    chores = Chores(gate, server, desk.retry_session_downs)
    pump = Pump(desk.dispatcher, gate, sockets.deliver, chores.run)
    await serve_until(stopping, door, server, pump, sockets.close)
