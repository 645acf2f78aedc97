"""Inputs as they come: compressed in pieces, cut off, empty, through a pipe, or no file at all."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.files.source import Format, InputError, NoInputError, Source
from tests.gateways.files.venue_files import dbn_bytes, itch_add

DBN = dbn_bytes([[("A", "B", 7, 400, 3)], [("A", "B", 8, 400, 3)]])
ITCH = itch_add(1, "B", 100, 100_500)
LINES = b'{"op":"session_end"}\n{"op":"session_end"}\n'
CONTENTS = pytest.mark.parametrize(
    ("content", "form"), [(DBN, Format.DBN), (ITCH, Format.ITCH), (LINES, Format.JSON_LINES)]
)


def skippable(number: int, content: bytes) -> bytes:
    """Return a skippable zstd frame; number 0 to 15."""
    return struct.pack("<II", 0x184D2A50 + number, len(content)) + content


def zst(content: bytes) -> bytes:
    """Return one zstd frame."""
    return zstandard.ZstdCompressor().compress(content)


def halves(pack: Callable[[bytes], bytes], content: bytes) -> bytes:
    """Return two frames; the first holds one byte, which tells no format."""
    return pack(content[:1]) + pack(content[1:])


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zst,
    "frames of zstd": lambda content: halves(zst, content),
    "zstd behind a skippable frame": lambda content: skippable(0, b"abcd") + zst(content),
    "zstd with skippable frames everywhere": lambda content: b"".join(
        [
            skippable(15, b""),
            zst(content[:9]),
            skippable(3, b"x" * 300_000),
            zst(content[9:]),
            skippable(1, b"y"),
        ]
    ),
    "zstd with an empty frame first": lambda content: zst(b"") + zst(content),
    "gzip": gzip.compress,
    "members of gzip": lambda content: halves(gzip.compress, content),
    "gzip filled up with zeros": lambda content: gzip.compress(content) + bytes(512),
    "gzip with an empty member first": lambda content: gzip.compress(b"") + gzip.compress(content),
}


def contents_of(path: Path) -> tuple[Format, bytes]:
    """Return what an input holds."""
    with Source(str(path)) as source:
        return source.format, b"".join(source.chunks())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file whose name says nothing of what it holds."""
    return tmp_path / "input"


@CONTENTS
@pytest.mark.parametrize("kind", PACKED)
def test_compressed_input_is_unpacked_whatever_it_is_called(
    path: Path, content: bytes, form: Format, kind: str
) -> None:
    path.write_bytes(PACKED[kind](content))

    assert contents_of(path) == (form, content)


HEX = st.binary(max_size=200).map(lambda drawn: drawn.hex().encode())  # begins no compression
FRAMES = st.lists(
    st.one_of(
        HEX.map(lambda content: (zst(content), content)),
        st.tuples(st.integers(0, 15), st.binary(max_size=20)).map(lambda given: (skippable(*given), b"")),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(FRAMES, st.data())
def test_any_row_of_frames_reads_as_zstd_reads_it_and_no_piece_of_it_passes_for_the_whole(
    tmp_path_factory: pytest.TempPathFactory, frames: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("frames") / "input"
    packed = b"".join(frame for frame, _ in frames)
    wanted = b"".join(content for _, content in frames)
    ends = [len(b"".join(frame for frame, _ in frames[: k + 1])) for k in range(len(frames))]
    cut = data.draw(st.integers(4, len(packed)))
    path.write_bytes(b"".join([skippable(0, b""), packed[:cut]]))

    if cut in ends:
        assert contents_of(path)[1] == b"".join(content for _, content in frames[: ends.index(cut) + 1])
    else:
        with pytest.raises(InputError, match=r"input: compressed byte \d+ .*the file ends within it"):
            contents_of(path)
    path.write_bytes(packed)
    assert contents_of(path)[1] == wanted


@pytest.mark.parametrize("kind", PACKED)
def test_cut_off_input_names_file_and_byte(path: Path, kind: str) -> None:
    whole = PACKED[kind](DBN)
    path.write_bytes(whole[:-1] if "zeros" not in kind else whole[:-520])

    with pytest.raises(InputError, match="the file ends within it: it is truncated") as fault:
        contents_of(path)

    assert fault.value.source == str(path)
    assert fault.value.place.startswith(f"compressed byte {path.stat().st_size} ")


@pytest.mark.parametrize("pack", [zst, gzip.compress])
@pytest.mark.parametrize("rest", [b"no frame at all", b"\x1f\x8b\x00broken"])
def test_what_follows_the_frames_and_is_none_is_named(
    path: Path, pack: Callable[[bytes], bytes], rest: bytes
) -> None:
    path.write_bytes(pack(DBN) + rest)

    with pytest.raises(InputError, match=f"begins at compressed byte {len(pack(DBN))}"):
        contents_of(path)


@pytest.mark.parametrize("pack", [zst, gzip.compress])
def test_file_that_holds_empty_frames_alone_holds_nothing(path: Path, pack: Callable[[bytes], bytes]) -> None:
    path.write_bytes(pack(b"") * 2)

    assert contents_of(path) == (Format.JSON_LINES, b"")


@pytest.mark.parametrize("name", ["a.jsonl.zst", "a.jsonl.gz"])
def test_compressed_file_without_a_byte_is_cut_off(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    with pytest.raises(InputError, match=f"{name}: byte 0: INPUT: is empty"):
        contents_of(tmp_path / name)


def zipped(content: bytes) -> bytes:
    """Return a zip archive of one file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a", content)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("content", "mend"),
    [
        (bz2.compress(DBN), "compressed with bzip2, .*unpack it first .bzip2 -dk FILE."),
        (lzma.compress(DBN), "compressed with xz, .*xz -dk"),
        (zipped(DBN), "compressed with zip, .*unzip"),
        (b"\x04\x22\x4d\x18" + bytes(20), "compressed with lz4"),
        (gzip.compress(bz2.compress(DBN)), "compressed with bzip2"),
        (gzip.compress(zst(DBN)), "compressed twice"),
        (zst(skippable(0, b"abcd") + zst(DBN)), "compressed twice"),
    ],
)
def test_other_compressions_are_named_with_what_unpacks_them(path: Path, content: bytes, mend: str) -> None:
    path.write_bytes(content)

    with pytest.raises(InputError, match=f"input: byte 0: INPUT: is {mend}"):
        contents_of(path)


def test_folder_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="is a folder: give a file, or - for standard input"):
        contents_of(tmp_path)


def test_file_that_opens_but_cannot_be_read_is_named() -> None:
    with pytest.raises(InputError, match=r"/proc/self/mem: byte 0: INPUT: cannot be read on: Input/output"):
        contents_of(Path("/proc/self/mem"))  # nothing is mapped at address 0


def test_named_pipe_is_read_to_its_end_and_has_no_size(path: Path) -> None:
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(LINES),))
    writer.start()

    with Source(str(path)) as source:
        read = b"".join(source.chunks())
    writer.join()

    assert (read, source.size) == (LINES, None)


@CONTENTS
@pytest.mark.parametrize("kind", ["gzip", "zstd behind a skippable frame"])
def test_standard_input_is_told_by_its_bytes(content: bytes, form: Format, kind: str) -> None:
    program = (
        "from gateways.files.source import Source\n"
        "with Source('-') as source: print(source.format.value, b''.join(source.chunks()).hex())"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], input=PACKED[kind](content), capture_output=True, check=True
    )

    assert said.stdout.decode() == f"{form.value} {content.hex()}\n"


if shutil.which("zstd"):  # the reference; what it must give is pinned above as well

    @pytest.mark.parametrize("kind", [kind for kind in PACKED if "zstd" in kind])
    def test_zstd_itself_reads_the_same(path: Path, kind: str) -> None:
        path.write_bytes(PACKED[kind](DBN))

        said = subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True)

        assert said.stdout == contents_of(path)[1]
