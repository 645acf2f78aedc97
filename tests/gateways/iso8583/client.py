"""A sample client of the door for ISO 8583: messages by the package pyiso8583, over a plain socket."""

import socket
from typing import Any

import iso8583
from iso8583.specs import default_ascii

LENGTH_BYTES = 2
Message = dict[str, str]
PAN = "4111111111111111"
KEPT_IN_REVERSAL = ("3", "4", "7", "41", "42", "49")


def payment(stan: int = 1, kind: str = "0100", **changes: str | None) -> Message:
    """Return an authorise of 10.00 EUR; de_4="..." sets a data element, None leaves it out."""
    message: Message = {
        "t": kind, "2": PAN, "3": "000000", "4": "000000001000", "7": "1129120000", "11": f"{stan:06}",
        "14": "9912", "22": "051", "41": "TILL-04 ", "42": "m1".ljust(15), "49": "978", "102": "1",
    }  # fmt: skip
    return changed(message, **changes)


def reversal(of: Message, stan: int = 2, kind: str = "0400", **changes: str | None) -> Message:
    """Return the reversal of a payment, of its whole amount."""
    original = f"{of['t']}{of['11']}{of['7']}{0:022}"
    message: Message = {name: text for name, text in of.items() if name in KEPT_IN_REVERSAL}
    return changed({**message, "t": kind, "11": f"{stan:06}", "90": original}, **changes)


def changed(message: Message, **changes: str | None) -> Message:
    """Return a message with other data elements."""
    given = {name.removeprefix("de_"): text for name, text in changes.items()}
    return {name: text for name, text in {**message, **given}.items() if text is not None}


def replacement(amount: int) -> str:
    """Return the DE 95 by which so much of the amount stays."""
    return f"{amount:012}{0:012}C{0:08}C{0:08}"


def encoded(message: Message) -> bytes:
    """Return a message as it goes over the wire."""
    data, _ = iso8583.encode(dict(message), default_ascii)
    return framed(bytes(data))


def framed(data: bytes) -> bytes:
    """Return bytes with their length in front."""
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def decoded(data: bytes) -> Message:
    """Return a message without its length, and without its bitmaps."""
    found, _ = iso8583.decode(data, default_ascii)
    return {name: text for name, text in found.items() if name not in ("h", "p", "1")}


def messages_of(received: bytes) -> list[Message]:
    """Return the whole messages in what came."""
    found = []
    while len(received) >= LENGTH_BYTES:
        end = LENGTH_BYTES + int.from_bytes(received[:LENGTH_BYTES], "big")
        if len(received) < end:
            break
        found.append(decoded(received[LENGTH_BYTES:end]))
        received = received[end:]
    return found


class IsoClient:
    """One connection to the door of a running instance; source : the address that it comes from."""

    def __init__(self, address: tuple[str, int], timeout_s: float = 20.0, source: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection(address, timeout_s, (source, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self) -> "IsoClient":
        return self

    def __exit__(self, *fault: Any) -> None:
        self.close()

    def ask(self, message: Message) -> Message:
        """Send a message and return the next reply."""
        self.send(encoded(message))
        return self.reply()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def reply(self) -> Message:
        """Return the next reply; ConnectionError where the door has closed the connection."""
        length = int.from_bytes(self._exactly(LENGTH_BYTES), "big")
        return decoded(self._exactly(length))

    def is_closed(self) -> bool:
        """Tell whether the door closes the connection, and sends nothing more; waits for that."""
        try:
            return self._socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            chunk = self._socket.recv(2**16)
            if not chunk:
                raise ConnectionError("the door has closed the connection")
            self._received += chunk
        found, self._received = self._received[:count], self._received[count:]
        return found
