"""The frames of a WebSocket's client, looked at before aiohttp reads them.

aiohttp's reader takes unmasked frames from a client, and a message that begins inside another
whose first part was empty. RFC 6455 wants both closed with 1002 (5.1, 5.4). It also queues frames
that carry nothing, or pings, without a bound, for it counts bytes of messages alone: a read that
brings too many of them is closed as well. Only heads are looked at, in whatever chunks they come;
the reader does the rest.

    byte 0   FIN, three reserved bits, opcode
    byte 1   MASK, length: 126 and 127 say that 2 or 8 bytes of length follow
    then     4 bytes of mask, then the payload
"""

FIN = 0x80
MASK = 0x80
OPCODE = 0x0F
CONTINUATION, TEXT, BINARY = 0, 1, 2
MESSAGES = (CONTINUATION, TEXT, BINARY)
IDLE_FRAMES_MAX = 256
"""Pings, pongs and empty frames that one read may bring: a ping a second, four minutes of them at once."""
MASK_BYTES = 4
WHOLE_TEXT = FIN | TEXT
MIDDLING = MASK | 126
"""Second byte of a masked frame whose length stands in two bytes more."""
WHOLE_TEXT_HEAD_MAX = 4 + MASK_BYTES
LENGTH_BYTES = {126: 2, 127: 8}
REFUSED_FRAME = b"\x8f\x80\x00\x00\x00\x00"
"""A frame of an opcode that does not exist: the reader closes the connection with 1002."""


class ClientFrames:
    """Follows the frames of one client."""

    def __init__(self) -> None:
        self._held = b""  # the beginning of a head that is not whole yet
        self._passed_count = 0  # how much of it the reader has
        self._payload_left = 0
        self._is_inside_message = False
        self._is_broken = False
        self._idle_count = 0  # pings, pongs and empty frames of this read

    def checked(self, data: bytes) -> bytes:
        """Return what the reader may have of `data`; from a wrong frame on it gets a refused one."""
        if self._is_broken:
            return b""
        held, passed = self._held, self._passed_count
        self._held, self._passed_count = b"", 0
        self._idle_count = 0
        whole = held + data
        at, size = 0, len(whole)
        while True:
            step = min(self._payload_left, size - at)
            self._payload_left -= step
            at += step
            if not self._is_inside_message and self._payload_left == 0:
                at = _behind_whole_texts(whole, at, size)
            if size - at < 2:
                break  # between two frames, in a payload, or behind the first byte of a head
            if not self._is_allowed(whole[at], whole[at + 1]):
                self._is_broken = True
                return whole[passed:at] + REFUSED_FRAME
            head_bytes = head_size(whole[at + 1])
            if size - at < head_bytes:
                self._held, self._passed_count = whole[at:], size - at
                return whole[passed:]
            self._begin(whole[at])
            self._payload_left = payload_size(whole, at)
            at += head_bytes
        self._held = whole[at:]
        return whole[passed:at]

    def _is_allowed(self, first: int, second: int) -> bool:
        opcode = first & OPCODE
        if opcode in (TEXT, BINARY) and self._is_inside_message:
            return False
        if opcode == CONTINUATION and not self._is_inside_message:
            return False
        self._idle_count += opcode not in MESSAGES or second & ~MASK == 0
        return second & MASK != 0 and self._idle_count <= IDLE_FRAMES_MAX

    def _begin(self, first: int) -> None:
        if first & OPCODE in MESSAGES:
            self._is_inside_message = not first & FIN


def _behind_whole_texts(data: bytes, at: int, size: int) -> int:
    """Return where the frames end that are a whole, masked, short or middling text each.

    Almost all frames are; nothing about them has to be remembered.
    """
    while size - at > WHOLE_TEXT_HEAD_MAX and data[at] == WHOLE_TEXT:
        second = data[at + 1]
        if MASK < second < MIDDLING:
            end = at + second - MASK + 2 + MASK_BYTES
        elif second == MIDDLING:
            end = at + (data[at + 2] << 8 | data[at + 3]) + 4 + MASK_BYTES
            if end == at + 4 + MASK_BYTES:
                break
        else:
            break
        if end > size:
            break
        at = end
    return at


def head_size(second: int) -> int:
    """Return how long a masked frame's head is, its mask included."""
    return 2 + LENGTH_BYTES.get(second & ~MASK, 0) + MASK_BYTES


def payload_size(data: bytes, at: int) -> int:
    """Return how long the payload of the frame is whose head begins at `at`."""
    length = data[at + 1] & ~MASK
    more = LENGTH_BYTES.get(length, 0)
    return int.from_bytes(data[at + 2 : at + 2 + more], "big") if more else length
