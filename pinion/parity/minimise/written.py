"""A capture of its own out of some pairs: a folder that replays as any other."""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.contract.errors import UsageError
from pinion.capture.folder import KEY_FILE
from pinion.capture.records import FIRST, Body, Record
from pinion.capture.writer import RecordWriter
from pinion.parity.capture_folder import CaptureFolder
from pinion.parity.pairs import Pair


def refuse_existing(folder: Path) -> None:
    """Refuse a folder that is there."""
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"--out {folder}: is there already; name a folder that is not")


def write_pairs(folder: Path, pairs: Sequence[Pair], source: CaptureFolder) -> None:
    """Write pairs, numbered from 1, under the key of the capture that they are from."""
    refuse_existing(folder)
    folder.mkdir(mode=0o700)
    key = folder / KEY_FILE
    key.touch(mode=0o600)
    key.write_bytes(source.key)
    about = msgspec.structs.replace(source.about, ended_ms=None, records=None, dropped=None, last=None)
    writer = RecordWriter(folder, about)
    if not writer.append([_record(pair) for pair in pairs]):
        raise OSError(None, "the disk does not take the pairs", str(folder))
    writer.close(max((pair.at_ms for pair in pairs), default=about.began_ms))


def _record(pair: Pair) -> Record:
    return Record(
        n=1, at_ms=pair.at_ms, method=pair.method, path=pair.path, request=_body(pair.request),
        status=pair.status, reply=None if pair.reply is None else _body(pair.reply), headers={},
        duration_us=0, prev=FIRST,
    )  # fmt: skip


def _body(body: bytes) -> Body:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}
