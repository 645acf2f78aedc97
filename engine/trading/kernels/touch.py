"""Mark a book or an account as being written, once per command (protocol rule 8)."""

from ringbuf.kernel import kernel
from ringbuf.seqlock import open_version


@kernel
def touch(s, version_idx):
    """Make the version odd before the command's first write to what it guards."""
    if s.version[version_idx] != 2 * s.seq - 1:
        open_version(s.version, version_idx, s.seq)
        s.opened[s.opened_count] = version_idx
        s.opened_count += 1


@kernel
def touch_book(s, book):
    """Open the version of a book."""
    touch(s, book)


@kernel
def touch_account(s, account):
    """Open the version of an account: its balances and positions."""
    touch(s, len(s.books) + account)
