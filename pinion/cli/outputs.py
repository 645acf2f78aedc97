"""Files that a command writes: whole under their names, or not at all.

    .pinion-PID-RANDOM      written beside the file that is meant, then
    FILE                    takes its place in one step, once it is whole and on the disk

So an earlier result stays until there is a new one, a reader never sees half a file, and an
interrupt leaves nothing. What is no regular file (a pipe, /dev/full, /dev/stdout) cannot be
replaced and is written as it is. A file that the same command reads is refused, and any file of
a data folder: its journal, archive, snapshots, keys and epoch are not to be made again.
"""

import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from engine.contract.errors import UsageError
from pinion.cli.streams import INPUT_FD, OUTPUT_FD, OUTPUT_NAME, NamedFile

STREAM = "-"
"""An INPUT of this name is standard input, an output standard output."""
BUFFER_BYTES = 1 << 17
LINKS_MAX = 40
DATA_FOLDER_SIGNS = ("epoch", "journal/layout.json")
"""A folder that holds one of these belongs to an instance, or holds its journal."""
NEW_FILE_MODE = 0o666
"""Less what the umask takes away."""


class OutputError(UsageError):
    """A file must not be written: the command reads it, or writes it already; the text names both."""


Keeps = Callable[[Exception], bool]


def never(error: Exception) -> bool:
    """Keep nothing of an output whose writing fails."""
    return False


@contextmanager
def output(name: str, keeps: Keeps = never) -> Iterator[BinaryIO]:
    """Open an output for the block; it takes its name behind it.

    name : `-` is standard output
    keeps : tells of an error of the block whether what was written before it is right nevertheless, and
        is kept: an input can be damaged in its midst

    Raises OSError that names the output.
    """
    descriptor = _descriptor(name)
    if is_standard_output(name):
        yield sys.stdout.buffer
        sys.stdout.flush()
    elif descriptor is not None:
        with _naming(name):
            file = NamedFile(os.dup(descriptor), name)
        with io.BufferedWriter(file, BUFFER_BYTES) as buffered:
            yield buffered
    elif is_replaceable(name):
        with _draft(Path(os.path.realpath(name)), name, keeps) as drafted:
            yield drafted
    else:
        with io.BufferedWriter(NamedFile(name, name), BUFFER_BYTES) as buffered:
            yield buffered


def is_standard_output(name: str | None) -> bool:
    """Tell whether an output goes where a command prints."""
    return name == STREAM or (name is not None and _descriptor(name) == OUTPUT_FD)


def refuse_overwriting(inputs: Sequence[str | Path], outputs: Mapping[str, str | None]) -> None:
    """Raise OutputError where an output is an input, lies in a folder that is read or in the data folder
    of an instance, or is written twice.

    outputs : option -> file, None where the option was not given
    """
    written = {OUTPUT_NAME: STREAM} | {option: name for option, name in outputs.items() if name is not None}
    for number, (option, name) in enumerate(written.items()):
        said = option if option == OUTPUT_NAME else f"{option} {name}"
        for read in inputs:
            if _is_part_of(name, read):
                raise OutputError(f"{said}: is, or is part of, the input {read}; give another file")
        owner = _data_folder_of(name)
        if owner is not None:
            raise OutputError(f"{said}: lies in {owner}, which belongs to an instance; give a file elsewhere")
        for other in list(written)[:number]:
            if _is_same(name, written[other]):
                raise OutputError(f"{said}: is the file of {other} as well; give each a file of its own")


@contextmanager
def _draft(path: Path, shown: str, keeps: Keeps) -> Iterator[BinaryIO]:
    """Write a file beside the one that is meant; it takes that one's place once it is whole."""
    with _naming(shown):
        draft = path.with_name(f".pinion-{os.getpid()}-{os.urandom(4).hex()}")
        file = io.BufferedWriter(NamedFile(_created(draft, like=path), shown), BUFFER_BYTES)
    try:
        try:
            yield file
        except Exception as error:
            if keeps(error):
                _place(file, draft, path, shown)
            raise
        _place(file, draft, path, shown)
    finally:
        with suppress(OSError):  # what made the first write fail was told, and the draft goes
            file.close()
        draft.unlink(missing_ok=True)


def _created(draft: Path, like: Path) -> int:
    """Make the draft, with owner and mode of the file that it is to replace; return its descriptor."""
    if like.exists() and not os.access(like, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, NEW_FILE_MODE)
    with suppress(FileNotFoundError):
        before = like.stat()
        with suppress(PermissionError):
            os.fchown(descriptor, before.st_uid, before.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
    return descriptor


def _place(file: BinaryIO, draft: Path, path: Path, shown: str) -> None:
    """Give the draft its name, once all of it is on the disk."""
    file.flush()
    with _naming(shown):
        os.fsync(file.fileno())
        os.rename(draft, path)


@contextmanager
def _naming(shown: str) -> Iterator[None]:
    """Have an OSError of the block name the output as the user did."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, shown) from None


def is_replaceable(name: str) -> bool:
    """Tell whether an output is a regular file, or will be one."""
    try:
        return stat.S_ISREG(os.stat(name).st_mode)
    except FileNotFoundError:
        return True


def _descriptor(name: str) -> int | None:
    """Return the number of our own open file that a path such as /dev/stdout or /dev/fd/5 stands for."""
    path = name
    for _ in range(LINKS_MAX):
        folder, last = os.path.realpath(os.path.dirname(path)), os.path.basename(path)
        if folder == f"/proc/{os.getpid()}/fd" and last.isdigit():
            return int(last)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))
    return None


def _is_same(one: str, other: str) -> bool:
    """Tell whether two outputs are one file; two names of one open file may share it, in order."""
    if _is_open(one) and _is_open(other):
        return False
    found = _identity(one, OUTPUT_FD)
    return found is not None and found == _identity(other, OUTPUT_FD)


def _is_part_of(name: str, read: str | Path) -> bool:
    """Tell whether writing an output would change what is read: a file, or any file of a folder."""
    found = _identity(name, OUTPUT_FD)
    if found is None:
        return False
    if not os.path.isdir(read):
        return found == _identity(str(read), INPUT_FD)
    folder = Path(os.path.realpath(read))
    if name != STREAM and Path(os.path.realpath(name)).is_relative_to(folder):
        return True
    return any(found == _identity(str(each), INPUT_FD) for each in folder.iterdir())


def _data_folder_of(name: str) -> Path | None:
    """Return the data folder that an output lies in, None where it lies in none."""
    if _is_open(name):
        return None
    parents = Path(os.path.realpath(name)).parents
    return next(
        (each for each in parents if any((each / sign).is_file() for sign in DATA_FOLDER_SIGNS)), None
    )


def _is_open(name: str) -> bool:
    return name == STREAM or _descriptor(name) is not None


def _identity(name: str, stream: int) -> tuple[int, int] | str | None:
    """Return what tells a regular file from others, by whatever name; None for what is none.

    stream : the descriptor that `-` stands for
    """
    descriptor = stream if name == STREAM else _descriptor(name)
    try:
        found = os.stat(name if descriptor is None else descriptor)
    except FileNotFoundError:
        return os.path.realpath(name)
    except OSError:  # what cannot be looked at cannot be opened either: that is told then
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
