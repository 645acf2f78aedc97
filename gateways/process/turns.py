"""A bound on what clients can make a door do within one turn of its event loop.

Work on messages that are there already never waits, and the loop turns only when somebody waits: one
client that sends much, or many that send a little more than little, could keep a door from its
heartbeat until it is taken for dead. So each message takes of what a turn may cost before it is
read. When that is used up, the next message waits for the next turn, in the order of asking.

    a turn costs at most   budget + one message, however many clients there are
"""

import asyncio

MESSAGE_MIN = 64
"""What the smallest message costs, in bytes: reading it, refusing it, answering it."""


class Turns:
    """Shares out the turns of one event loop among everybody who has work for it.

    budget : bytes of messages that are worked on in one turn
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._left = budget
        self._queue = asyncio.Lock()

    def has_taken(self, byte_count: int = 0) -> bool:
        """Take what this turn still has and tell so; where it has nothing left, `take` waits."""
        if self._left <= 0:
            return False
        self._left -= byte_count if byte_count > MESSAGE_MIN else MESSAGE_MIN
        return True

    async def take(self, byte_count: int = 0) -> None:
        """Return when work on so many bytes may begin: at once, or after the loop has turned."""
        if self.has_taken(byte_count):
            return
        async with self._queue:  # first come, first served
            if not self.has_taken(byte_count):
                await asyncio.sleep(0)
                self._left = self._budget
                self.has_taken(byte_count)
