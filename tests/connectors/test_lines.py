"""Files into lines, whatever they are packed in."""

import gzip
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.files.lines import LINE_BYTES_MAX, Line, LineFile, UnreadableFile
from tests.connectors.examples import gzipped, zstd
from tests.examples import examples

PACKINGS = {"plain": bytes, "gz": gzipped, "zst": zstd}
packings = pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)


def lines_of(path: Path) -> list[Line]:
    """Read a file to its end."""
    return list(LineFile(path))


@packings
@given(lines=st.lists(st.binary(max_size=50).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b""))))
@examples(30)
def test_every_line_comes_once(pack: Callable[[bytes], bytes], lines: list[bytes], tmp_path: Path) -> None:
    """Each line comes with its number, in order, as it was written; blank ones don't."""
    path = tmp_path / "lines"
    path.write_bytes(pack(b"#\n" + b"\n".join(lines)))
    expected = [(number, line) for number, line in enumerate(lines, start=2) if line.strip()]
    assert lines_of(path)[1:] == expected


def test_editors_of_all_systems(tmp_path: Path) -> None:
    """A byte order mark and carriage returns are no part of a line."""
    path = tmp_path / "lines"
    path.write_bytes(b"\xef\xbb\xbf{}\r\n\r\n[]\r\n")
    assert lines_of(path) == [(1, b"{}"), (3, b"[]")]


@packings
def test_long_lines_fill_no_memory(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Of a line that is far too long comes its beginning, and then the next line; it was never in memory as a whole."""
    path = tmp_path / "lines"
    path.write_bytes(pack(b"a" * 60_000_000 + b"\n" + b"b" * LINE_BYTES_MAX + b"\nc"))
    tracemalloc.start()
    lengths = [(line.number, len(line.value), line.value[:1]) for line in LineFile(path)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lengths == [(1, LINE_BYTES_MAX + 1, b"a"), (2, LINE_BYTES_MAX, b"b"), (3, 1, b"c")]
    assert peak < 45_000_000


LARGEST_MEMORY_MB = """
import sys
from datetime import UTC, datetime
from pathlib import Path

from flatline_connectors.files.exports.event_lines import event_lines
from flatline_connectors.files.exports.reading import Options
from flatline_connectors.files.lines import LineFile, UnreadableFile

def read(path):
    list(event_lines(LineFile(Path(path)), Options(exported_at=datetime(2026, 1, 1, tzinfo=UTC)), lambda _found: None))

def largest_memory_mb():  # of this process: what getrusage says begins with that of its parent
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024

read(sys.argv[1])
before_mb = largest_memory_mb()
try:
    read(sys.argv[2])
except UnreadableFile as error:
    print(error)
print(largest_memory_mb() - before_mb)
"""


@pytest.mark.parametrize("pack", [gzipped, zstd])
@pytest.mark.parametrize("repeated", [b"\0" * 1_000, b"a,b\n" * 250], ids=["nothing", "rows"])
def test_a_bomb_is_not_unpacked(pack: Callable[[bytes], bytes], repeated: bytes, tmp_path: Path) -> None:
    """A file of 100 KB that unpacks to 100 MB costs no such memory, by the largest that the process ever had."""
    small, bomb = tmp_path / "small", tmp_path / "bomb"
    head = b"source url,target url\nhttps://a.example/,https://b.example/\n"
    small.write_bytes(pack(head))
    bomb.write_bytes(pack(head + repeated * 100_000))
    command = [sys.executable, "-c", LARGEST_MEMORY_MB, str(small), str(bomb)]
    said, largest_mb = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "bytes unpacked" in said
    assert int(largest_mb) < 60


@packings
def test_progress_is_measured_in_bytes_of_the_file(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """It begins with nothing and ends with the size of the file, packed as it is."""
    path = tmp_path / "lines"
    path.write_bytes(pack(b"{}\n" * 5000))
    file = LineFile(path)
    assert (file.read_bytes, file.size_bytes) == (0, path.stat().st_size)
    assert max(file.read_bytes for _ in file) == file.size_bytes


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gz", "zst"])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_broken_archives(pack: Callable[[bytes], bytes], damage: str, tmp_path: Path) -> None:
    """An archive that is cut short or damaged is an error that says after which line."""
    path = tmp_path / "lines"
    packed = bytearray(pack(b"".join(b"%d\n" % number**5 for number in range(200_000))))
    if damage == "cut":
        del packed[-10:]
    else:
        packed[len(packed) // 2 :] = bytes(len(packed) - len(packed) // 2)
    path.write_bytes(packed)
    taken: list[Line] = []
    with pytest.raises(UnreadableFile, match=str(path)) as error:
        taken.extend(LineFile(path))
    assert f"after line {len(taken)}: " in str(error.value)
    assert len(taken) > 1000


@pytest.mark.parametrize("name", ["lines.gz", "lines.zst"])
def test_names_that_promise_an_archive(name: str, tmp_path: Path) -> None:
    """A file that isn't what its name says is an error, not a file of odd lines."""
    path = tmp_path / name
    path.write_bytes(b"{}\n")
    with pytest.raises(UnreadableFile, match="after line 0"):
        lines_of(path)


def test_files_that_cant_be_opened(tmp_path: Path) -> None:
    """A missing file and a folder are errors at once."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(UnreadableFile, match=str(path)):
            LineFile(path)


@pytest.mark.parametrize("kind", range(0x50, 0x60))
def test_frames_that_are_to_be_skipped(kind: int, tmp_path: Path) -> None:
    """A zstd file may begin with some, and have others anywhere, whatever its name."""
    skippable = bytes([kind]) + b"\x2a\x4d\x18" + (600).to_bytes(4, "little") + b"x" * 600
    one, two = (zstandard.ZstdCompressor().compress(line) for line in (b"1\n", b"2\n"))
    path = tmp_path / "lines"
    path.write_bytes(skippable + one + skippable + two + skippable)
    assert lines_of(path) == [(1, b"1"), (2, b"2")]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(codec: str, tmp_path: Path) -> None:
    """With a mark or without one, it is no file of lines that can't be read; the remedy is a command."""
    path = tmp_path / "lines"
    path.write_bytes('{"url": "https://yours.example/"}\n'.encode(codec))
    with pytest.raises(UnreadableFile, match="is UTF-16") as error:
        lines_of(path)
    assert f"iconv -f UTF-16 -t UTF-8 {path}" in error.value.remedy


@pytest.mark.parametrize("text", [b'[{"url": "x"}]', b'[\n  {"url": "x"}\n]\n', b'[{"url": "x"},\n {"url": "y"}]'])
def test_one_array_is_named(text: bytes, tmp_path: Path) -> None:
    """It isn't told as so many lines that can't be read; the remedy is a command."""
    path = tmp_path / "lines"
    path.write_bytes(text)
    with pytest.raises(UnreadableFile, match="one JSON array") as error:
        lines_of(path)
    assert f"jq -c '.[]' {path}" in error.value.remedy


def test_a_line_that_is_an_array_is_a_line(tmp_path: Path) -> None:
    """It may be a bad one among good ones."""
    path = tmp_path / "lines"
    path.write_bytes(b"[1]\n{}\n")
    assert lines_of(path) == [(1, b"[1]"), (2, b"{}")]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gz", "zst"])
def test_a_cut_archive_says_how_far_it_was_read_as_a_whole(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """In lines and in bytes of what is in it."""
    plain = b"".join(b"%d\n" % number**5 for number in range(200_000))
    path = tmp_path / "lines"
    path.write_bytes(pack(plain)[:-9])
    with pytest.raises(UnreadableFile, match=r"broken after line \d+ \([\d,]+ bytes\)") as error:
        LineFile(path).whole(1 << 30)
    lines, read = (int(text.replace(",", "")) for text in re.findall(r"[\d,]+", str(error.value).split("after")[1])[:2])
    assert plain[:read].count(b"\n") == lines > 1000
