"""Where the time of one order goes, one at a time over HTTP in mode sync: from stamps that are made anyway.

    door       request sent -> gw_ts        the door has read it and publishes the command
    worker     gw_ts -> eng_ts              the worker has it
    journaler  eng_ts -> written_at         its frame is sealed
    disk, back written_at -> answered       write and fdatasync, D, events, the answer to the client

All clocks are the machine's wall clock; an order is found in the journal by its client id.
"""

import socket
import statistics
import time
from pathlib import Path

import numpy as np

from engine.runtime.journal.frames import FRAME_HEAD
from engine.runtime.journal.journal import FOLDER, JournalReader
from perf.live import Live
from perf.load_http import client_order_id, http_request, order_body

STAGES = ("door", "worker", "journaler", "disk and back")
ORDERS = 1000
WARM_UP = 100
SESSION = 900
"""Keeps the client ids apart from those of the load generator's runs."""
US = 1000.0


def asked(instance: Live, count: int) -> dict[int, tuple[int, int]]:
    """Enter orders, one behind the answer of the other; return by client id when it was sent and answered."""
    times = {}
    with socket.create_connection(("127.0.0.1", instance.order_port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(count):
            request = http_request(order_body(number, SESSION), instance.key)
            sent = time.time_ns()
            connection.sendall(request)
            answer = connection.recv(65536)
            answered = time.time_ns()
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
            times[client_order_id(number, SESSION)] = sent, answered
    return times


def stages_us(instance: Live) -> dict[str, float]:
    """Return the median of each stage, in us; the instance is otherwise idle."""
    times = asked(instance, WARM_UP + ORDERS)
    found: list[tuple[int, ...]] = []
    for frame in JournalReader(Path(instance.data_dir) / FOLDER):
        written_at = int(frame.records[frame.slot : frame.slot + 1].view(FRAME_HEAD)["written_at"][0])
        for entry in frame.entries:
            key = int(entry["command"]["client_order_id"])
            if key in times:
                sent, answered = times[key]
                stamps = sent, int(entry["command"]["gw_ts"]), int(entry["eng_ts"]), written_at, answered
                found.append(tuple(np.diff(stamps).tolist()))
    assert len(found) == len(times), f"{len(found)} of {len(times)} orders are in the journal"
    columns = zip(*found[WARM_UP:], strict=True)
    return {name: statistics.median(column) / US for name, column in zip(STAGES, columns, strict=True)}
