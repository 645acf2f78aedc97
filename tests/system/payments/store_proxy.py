"""A proxy before a store: what passes through it may be late, and it may lead to another store."""

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

CHUNK_BYTES = 65_536


class StoreProxy:
    """Listens on a unix socket of its own; delay_s : by how much every answer is late."""

    def __init__(self, path: Path, target: Path) -> None:
        self.delay_s = 0.0
        self._target = target
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def lead_to(self, target: Path) -> None:
        """Lead to another store: whoever is connected is not any more."""
        self._target = target
        self.cut()

    def cut(self) -> None:
        """End every connection."""
        with self._lock:
            ending, self._connections = self._connections, []
        for each in ending:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        """Take no more, and end what there is."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            store = socket.socket(socket.AF_UNIX)
            try:
                store.connect(str(self._target))
            except OSError:
                client.close()
                store.close()
                continue
            with self._lock:
                self._connections += [client, store]
            for source, sink, is_late in ((client, store, False), (store, client, True)):
                threading.Thread(target=self._pass_on, args=(source, sink, is_late), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_late: bool) -> None:
        with suppress(OSError):
            while content := source.recv(CHUNK_BYTES):
                if is_late and self.delay_s:
                    time.sleep(self.delay_s)
                sink.sendall(content)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
