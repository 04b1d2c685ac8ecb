"""What is no usable recording: one line, a status, no file; or a right answer with a warning."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.__main__ import main
from tests.accept.light_maker import Detectors, Light, recording
from tests.accept.ptu_maker import ANSI, BY_NAME, EMPTY, FLOAT8, INT8, entry, file, records

GOOD = recording(
    Light("good", pulses_hz=40e6, rate_cps=100e3), Detectors(), 0.5, np.random.default_rng(1)
)
T2, T3 = BY_NAME["MultiHarp T2"], BY_NAME["MultiHarp T3"]
WORDS = records(T2, GOOD.time_ps, GOOD.channel.astype(np.int64))
PTU = file(T2, WORDS, 1e-12)
HEADER = len(PTU) - WORDS.nbytes
MAGIC = PTU[:16]
BAD, REFUSED, RIGHT = 4, 3, 0


class Case(NamedTuple):
    """A file, the status that it must end with, and words that must be said."""

    content: bytes
    status: int
    says: str
    options: tuple[str, ...] = ()


def npz(compressed: bool = False, **arrays: Any) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def tags(time_ps: Any = GOOD.time_ps, channel: Any = GOOD.channel) -> bytes:
    return npz(time_ps=np.asarray(time_ps), channel=np.asarray(channel))


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as written:
        for name, content in members.items():
            written.writestr(f"{name}.npy", content)
    return stream.getvalue()


def member(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(*entries: bytes) -> bytes:
    return MAGIC + b"".join(entries) + entry("Header_End", EMPTY, 0) + WORDS.tobytes()


def swapped(values: NDArray[np.int64], at: int) -> NDArray[np.int64]:
    out = values.copy()
    out[[at, at + 1]] = out[[at + 1, at]] - np.array([0, 5])
    return out


TYPE = entry("TTResultFormat_TTTRRecType", INT8, T2.code)
TICK = entry("MeasDesc_GlobalResolution", FLOAT8, 1e-12)
ONE = np.zeros(len(GOOD.channel), np.uint8)
CASES = {
    # foreign
    "empty": Case(b"", BAD, "empty file"),
    "a single byte": Case(b"P", BAD, "neither .ptu nor .npz"),
    "text": Case(b"time,channel\n1,0\n", BAD, "neither .ptu nor .npz"),
    "zeros": Case(bytes(1000), BAD, "neither .ptu nor .npz"),
    "a picture": Case(b"\x89PNG\r\n\x1a\n" + bytes(64), BAD, "neither .ptu nor .npz"),
    "one array": Case(member(GOOD.time_ps), BAD, "numpy.savez"),
    "a histogram": Case(b"PQHISTO\0" + bytes(64), BAD, "histogram"),
    "a result": Case(b"PQRESLT\0" + bytes(64), BAD, "result"),
    "the older .pt2": Case(b"PicoHarp 300\0\0\0\0" + bytes(64), BAD, "convert to .ptu"),
    "the older .ht3": Case(b"HydraHarp\0\0\0" + bytes(64), BAD, "convert to .ptu"),
    "the older .t3r": Case(b"TimeHarp 200\0" + bytes(64), BAD, "convert to .ptu"),
    "HDF5": Case(b"\x89HDF\r\n\x1a\n" + bytes(64), BAD, "HDF5"),
    "an empty archive": Case(archive(), BAD, "time_ps is missing (found: nothing)"),
    # .ptu, header
    "magic alone": Case(PTU[:8], BAD, "cut off inside the header"),
    "magic and version": Case(MAGIC, BAD, "cut off inside the header"),
    "half a header": Case(PTU[: HEADER // 2], BAD, "cut off inside the header"),
    "a text over the end": Case(
        MAGIC + entry("File_Comment", ANSI, b"x" * 64)[:48] + bytes(8), BAD, "runs over the end"
    ),
    "a text of negative length": Case(
        MAGIC
        + entry("File_Comment", INT8, -5).replace(
            INT8.to_bytes(4, "little"), ANSI.to_bytes(4, "little")
        ),
        BAD,
        "runs over the end",
    ),
    "no end of the header": Case(MAGIC + entry("File", INT8, 1) * 300, BAD, "inside the header"),
    "no record type": Case(header(TICK), BAD, "lacks TTResultFormat_TTTRRecType"),
    "no resolution": Case(header(TYPE), BAD, "lacks MeasDesc_GlobalResolution"),
    "an unknown record type": Case(
        header(entry("TTResultFormat_TTTRRecType", INT8, 0x77), TICK), BAD, "0x77 is unknown"
    ),
    "a resolution of zero": Case(
        header(TYPE, entry("MeasDesc_GlobalResolution", FLOAT8, 0.0)), BAD, "is 0.0 s"
    ),
    "a resolution that is no number": Case(
        header(TYPE, entry("MeasDesc_GlobalResolution", FLOAT8, float("nan"))), BAD, "is nan s"
    ),
    "T3 without decay resolution": Case(file(T3, WORDS, 1e-8), BAD, "MeasDesc_Resolution is 0.0 s"),
    "T3 with --sync": Case(file(T3, WORDS, 1e-8, 1e-12), BAD, "leave --sync out", ("--sync", "3")),
    # .ptu, records
    "no records": Case(PTU[:HEADER], REFUSED, "no clicks"),
    "markers only": Case(
        file(T2, np.full(50, (1 << 31) | (1 << 25), np.uint32), 1e-12), REFUSED, "no clicks"
    ),
    "a clock past all bounds": Case(
        file(T2, np.full(5000, (127 << 25) | 0x1FFFFFF, np.uint32), 1e-9), BAD, "clock runs past"
    ),
    "cut inside a record": Case(PTU[:-3], RIGHT, "cut off inside a record"),
    "cut in half": Case(PTU[: HEADER + WORDS.nbytes // 8 * 4], RIGHT, "cut off: "),
    "promising too much": Case(file(T2, WORDS, 1e-12, promised=10**9), RIGHT, "cut off: "),
    "promising too little": Case(file(T2, WORDS, 1e-12, promised=40_000), RIGHT, "those are used"),
    "promising nothing": Case(file(T2, WORDS, 1e-12, promised=0), RIGHT, "promises no records"),
    # .npz
    "a cut archive": Case(tags()[:-100], BAD, "damaged archive"),
    "half an archive": Case(tags()[: len(tags()) // 2], BAD, "damaged archive"),
    "a flipped byte": Case(
        tags()[:5000] + bytes([tags()[5000] ^ 255]) + tags()[5001:], BAD, "damaged archive"
    ),
    "no channel": Case(npz(time_ps=GOOD.time_ps), BAD, "channel is missing"),
    "other names": Case(
        npz(t=GOOD.time_ps, ch=GOOD.channel), BAD, "time_ps is missing (found: t, ch)"
    ),
    "lengths that differ": Case(tags(channel=GOOD.channel[:-1]), BAD, "values in time_ps but"),
    "two dimensions": Case(tags(GOOD.time_ps[None], GOOD.channel[None]), BAD, "has shape (1,"),
    "times as fractions": Case(tags(GOOD.time_ps * 1.0), BAD, "time_ps is float64"),
    "channels too large": Case(
        tags(channel=GOOD.channel.astype(int) + 300), BAD, "does not fit uint8"
    ),
    "times past 63 bits": Case(
        tags(GOOD.time_ps.astype(np.uint64) + np.uint64(1 << 63)), BAD, "does not fit int64"
    ),
    "pickled objects": Case(
        npz(time_ps=np.array([None, 1]), channel=GOOD.channel), BAD, "time_ps is object"
    ),
    "no numpy inside": Case(archive(time_ps=b"123", channel=b"123"), BAD, "is no numpy array"),
    "an array cut inside": Case(
        archive(time_ps=member(GOOD.time_ps)[:-80], channel=member(GOOD.channel)),
        BAD,
        "promises",
    ),
    "no tags": Case(tags(GOOD.time_ps[:0], GOOD.channel[:0]), REFUSED, "no clicks"),
    "compressed and fine": Case(
        npz(compressed=True, time_ps=GOOD.time_ps, channel=GOOD.channel), RIGHT, ""
    ),
    # tags that say nothing
    "unsorted": Case(tags(swapped(GOOD.time_ps, 30_000)), BAD, "tag 30001 is earlier"),
    "unsorted where chunks meet": Case(
        tags(swapped(np.repeat(GOOD.time_ps, 2), 65_535), np.repeat(GOOD.channel, 2)),
        BAD,
        "tag 65536 is earlier",
    ),
    "reversed": Case(tags(GOOD.time_ps[::-1], GOOD.channel), BAD, "tag 1 is earlier"),
    "one channel": Case(tags(channel=ONE), BAD, "only channel 0 clicks"),
    "three channels": Case(
        tags(channel=np.where(np.arange(len(ONE)) % 3 == 2, 7, GOOD.channel).astype(np.uint8)),
        BAD,
        "more than two channels click",
    ),
    "a channel that is not there": Case(
        tags(), BAD, "channel 5 has no clicks", ("--channels", "0,5")
    ),
    "a sync that is not there": Case(tags(), BAD, "sync channel 9 does not tick", ("--sync", "9")),
    "one tag": Case(tags([5], [0]), BAD, "only channel 0 clicks"),
    "two tags": Case(tags([5, 6], [0, 1]), REFUSED, "record longer"),
    "tags of one instant": Case(tags([5] * 9, [0, 1] * 4 + [0]), REFUSED, "record longer"),
    "a leap of years": Case(tags([0, 1, (1 << 62) + 5], [0, 1, 0]), BAD, "days after the first"),
    "dark clicks above all": Case(tags(), BAD, "no clicks beyond", ("--dark", "1e6,1e6")),
    "no pulses though told": Case(
        tags([5, 6] * 8, [0, 1] * 8), BAD, "earlier", ("--mode", "pulsed")
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_one_line_or_a_right_answer(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "tags", tmp_path / "out.json"
    path.write_bytes(case.content)
    status = main(["g2", str(path), "--out", str(out), *case.options])
    said = capsys.readouterr()
    assert status == case.status
    assert case.says in said.err
    if case.status == RIGHT:
        assert said.err.count("\n") == (1 if case.says else 0)
        assert json.loads(out.read_text())["g2_zero"] < 0.2
        return
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"gansource: {path}: ")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tags"]


def test_the_table_has_what_was_promised() -> None:
    assert len(CASES) >= 46


def swap_for_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "says"), [(Path.unlink, "No such file"), (swap_for_folder, "Is a directory")]
)
def test_what_is_no_file(
    spoil: Callable[[Path], None], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tags"
    path.touch()
    spoil(path)
    assert main(["g2", str(path), "--out", str(tmp_path / "out.json")]) == BAD
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--channels", "1,1"],
        ["--channels", "0"],
        ["--channels", "0,300"],
        ["--channels", "0,1", "--sync", "1"],
        ["--bin-ps", "0"],
        ["--bin-ps", "1.5"],
        ["--bin-ps", "one"],
        ["--bin-ps", "1", "--window-ps", "1e9"],
        ["--window-ps", "-5"],
        ["--mode", "both"],
        ["--delay-ps", "nan"],
        ["--delay-ps", "inf"],
        ["--jitter-ps", "-1"],
        ["--jitter-ps", "nan"],
        ["--dark", "5"],
        ["--dark", "5,-5"],
        ["--background", "1"],
        ["--background", "-0.1"],
        ["--out", "/no/such/folder/out.json"],
        ["--png", "/no/such/folder/picture.png"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "tags.npz", tmp_path / "out.json"
    path.write_bytes(tags())
    try:
        status = main(["g2", str(path), "--out", str(out), *words])
    except SystemExit as left:
        status = int(str(left.code))
    assert status == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not out.exists()


def test_the_recording_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tags.npz"
    path.write_bytes(tags())
    assert main(["g2", str(path), "--out", str(path)]) == 2
    assert "is the recording itself" in capsys.readouterr().err
    assert path.read_bytes() == tags()


def test_an_earlier_result_stays_when_the_next_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "tags", tmp_path / "out.json"
    path.write_bytes(b"")
    out.write_text("kept")
    assert main(["g2", str(path), "--out", str(out)]) == BAD
    assert capsys.readouterr().err
    assert out.read_text() == "kept"
