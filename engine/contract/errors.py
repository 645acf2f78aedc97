"""Errors that are told to a person as they stand: their text names what is wrong and how to mend it.

A command line tells these two, and what the operating system refuses, in one line; any other error is a
fault of ours and keeps its traceback.
"""

import errno
import os


class ToldError(Exception):
    """Something outside this program is not as it should be: a file, a disk, another process."""


class UsageError(ToldError):
    """What was asked for, or the configuration, is wrong: the same call will fail again."""


def reason_of(error: OSError) -> str:
    """Return why the operating system refused a path, in words that lead to the mend."""
    if error.errno == errno.ENOTDIR and error.strerror == os.strerror(errno.ENOTDIR):
        return "the path leads through a file; name one that leads through folders"
    return error.strerror or str(error)
