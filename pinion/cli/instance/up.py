"""`pinion up`: start everything in the foreground and say when it is ready."""

import argparse
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.contract.application import Application
from engine.contract.instance import Instance
from engine.runtime.journal.journal import FOLDER
from engine.runtime.supervision.children import Child, DoorSpec
from engine.runtime.supervision.configure import Definition
from engine.runtime.supervision.ownership import owned
from engine.runtime.supervision.supervisor import Supervisor
from engine.runtime.upkeep.migration import LAYOUT_FILE
from engine.settings import config
from engine.settings.config import ConfigError, DoorSettings
from engine.trading import demo
from engine.trading.name import TRADING
from engine.trading.records import Role
from engine.trading.settings import TradingSettings
from pinion.cli.applications import Applications
from pinion.cli.arguments import DEFAULT_DATA, whole_argument
from pinion.cli.command import DONE
from pinion.cli.instance.definitions import definitions, missing
from pinion.cli.journal.data import application_of, read_layout, remember, require_application, require_fit
from pinion.cli.kernels import announced_compilation, compile_ahead, prepare_processes
from pinion.cli.trading import TOOLS

ORDER_DOOR, API_DOOR = "http", "api"
PORT = whole_argument(0, 65535, 8000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML; left out: the built-in demo")
    parser.add_argument(
        "--data", type=Path, default=DEFAULT_DATA, metavar="DIR", help="data folder (default %(default)s)"
    )
    parser.add_argument(
        "--api-port", type=PORT, metavar="N", help="port of queries and streams, 0 = any free one"
    )
    parser.add_argument("--order-port", type=PORT, metavar="N", help="port of order entry, 0 = any free one")
    parser.add_argument(
        "--durability",
        choices=("sync", "none"),
        help="sync: an answer means that the command is on the disk; none: nothing is written (default: the "
        "configuration's, which is sync)",
    )
    parser.add_argument(
        "--wait",
        choices=("block", "backoff", "spin"),
        help="what idle processes do: sleep until called, look again and again ever more seldom, or spin "
        "(default: the configuration's, which is block)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="log the processes' lifecycle on standard error"
    )


def run(args: argparse.Namespace) -> int:
    """Run until a signal to stop."""
    level = logging.INFO if args.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s[%(process)d] %(message)s")
    data_dir = args.data.resolve()
    os.umask(os.umask(0o077) & 0o077)  # one that takes from the owner would make files that we cannot open
    try:
        settings = read_settings(args)
        wanted = definitions(settings)
        with owned(data_dir, (ORDER_DOOR, API_DOOR)) as lock:
            settings = settle(settings, data_dir, args.applications, is_demo=args.config is None)
            application = application_for(settings, data_dir, args.applications)
            source = str(args.config or "demo")
            supervisor = build(application, settings, wanted, data_dir, lock, source)
            return serve(supervisor)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error
    except KeyboardInterrupt:  # a signal to stop, before there was anything to stop in order
        return DONE
    except OSError as error:
        if error.strerror is None:
            raise
        raise OSError(error.errno, error.strerror, error.filename or str(data_dir)) from error


def read_settings(args: argparse.Namespace) -> TradingSettings:
    """Return what the file, or the demo, and the command line say; nothing is written yet.

    The key of the demo is not known before the data folder is owned: `settle` adds it.
    """
    settings = config.load(args.config, TradingSettings) if args.config else demo.demo()
    if args.config and not settings.keys:
        raise ConfigError(f"{args.config}: keys: there is none, so nobody could enter; add a [[keys]] table")
    ports = {"api": args.api_port, "orders": args.order_port}
    settings = config.with_ports(settings, {name: port for name, port in ports.items() if port is not None})
    given = {name: getattr(args, name) for name in ("durability", "wait") if getattr(args, name)}
    return msgspec.structs.replace(settings, engine=msgspec.structs.replace(settings.engine, **given))


def settle(
    settings: TradingSettings, data_dir: Path, applications: Applications, *, is_demo: bool
) -> TradingSettings:
    """Note in the folder, which is ours, what belongs to it for good: capacities and the demo's key."""
    is_durable, sizes = settings.engine.durability == "sync", sizes_of(settings)
    if is_durable:
        require_fit(data_dir, TRADING, sizes, applications)
    elif (data_dir / FOLDER / LAYOUT_FILE).exists():
        require_application(data_dir, read_layout(data_dir, applications), TRADING)
    if is_demo:
        keys = demo.demo_keys(demo.demo_token(data_dir))
        settings = msgspec.structs.replace(settings, keys=keys)
    if is_durable:
        remember(data_dir, TRADING, sizes, applications)
    return settings


def sizes_of(settings: TradingSettings) -> dict[str, int]:
    """Return the capacities by name."""
    sizes: dict[str, int] = msgspec.structs.asdict(settings.engine.capacities)
    return sizes


def application_for(settings: TradingSettings, data_dir: Path, applications: Applications) -> Application:
    """Return trading with these capacities, and with those that the folder's journal had before."""
    if settings.engine.durability == "sync":
        return application_of(data_dir, applications)
    return TOOLS.make(sizes_of(settings))


def serve(supervisor: Supervisor) -> int:
    """Run what was put together until a signal to stop; return the exit code."""
    with announced_compilation() as compilation:

        def ready(children: Sequence[Child], running: Instance) -> None:
            compilation.finish()
            say_ready(children, running)

        return supervisor.run(ready)


def build(
    application: Application,
    settings: TradingSettings,
    wanted: Sequence[Definition],
    data_dir: Path,
    lock: int,
    source: str,
) -> Supervisor:
    """Put the instance together: configuration, doors, supervisor."""
    keys = config.door_keys(settings.keys, Role)
    http = DoorSettings(
        data_dir=data_dir,
        name=ORDER_DOOR,
        ring_name="http",
        host=settings.orders.host,
        port=settings.orders.port,
        section="orders",
        option="--order-port",
        hosts=settings.orders.hosts,
        origins=settings.orders.origins,
        pages="api",
        pages_port=settings.api.port,
        limits=settings.doors,
        keys=keys,
    )
    queries = msgspec.structs.replace(
        http,
        name=API_DOOR,
        ring_name="",
        host=settings.api.host,
        port=settings.api.port,
        section="api",
        option="--api-port",
        hosts=settings.api.hosts,
        origins=settings.api.origins,
    )
    doors = (DoorSpec(http, "gateways.http.serve"), DoorSpec(queries, "api.serve"))
    return Supervisor(
        data_dir=data_dir,
        lock=lock,
        config=source,
        settings=settings.engine,
        history=settings.history,
        application=application,
        definitions=wanted,
        missing=missing,
        doors=doors,
        prepare=prepare_processes(
            application,
            TOOLS,
            doors,
            has_history=settings.engine.durability == "sync" and settings.history.enabled,
        ),
        compile_ahead=compile_ahead(application, TOOLS),
    )


def say_ready(children: Sequence[Child], instance: Instance) -> None:
    """Print one line per process, then the line that scripts wait for."""
    for process in instance.processes:
        print(f"{process.name} pid {process.pid}")
    ready = {**instance.doors, "data": instance.data_dir, "pid": os.getpid()}
    print(f"ready {json.dumps(ready, separators=(',', ':'))}", flush=True)
