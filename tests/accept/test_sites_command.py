"""gansource sites: what lies on the disk, in words and pictures, beside a running controller."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from controller.archive import Archive
from controller.store import Store
from optics.quantities import ChipPoint
from tests.unit.catalogue_maker import site

BEST = site("E0002", rate_cps=300e3, place=ChipPoint(40.0, 8.0, 0.0))


def gansource(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "controller", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


async def fill(folder: Path) -> None:
    store = await Store.open(folder)
    await store.begin_run()
    archive = await Archive.open(store)
    await archive.begin_chip()
    await archive.record(site("E0001"), "survey")
    await archive.record(BEST, "survey")
    await archive.record(BEST.revisited(BEST.seen._replace(rate_cps=310e3)), "verify", "bright")
    await archive.select("E0002", "the best")
    await store.aclose()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    asyncio.run(fill(folder))
    return folder


def test_list_and_show(data: Path) -> None:
    lines = gansource("sites", "list", "--data", data).stdout.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["E0002", "E0001"], "the best first"
    told = json.loads(gansource("sites", "list", "--json", "--data", data).stdout)
    assert told["selected"] == "E0002"
    history = gansource("sites", "show", "E0002", "--data", data).stdout.splitlines()
    assert len(history) == 2
    assert "verify" in history[1]
    assert "310000 cps" in history[1]
    assert gansource("sites", "show", "E0009", "--data", data).returncode == 4


def test_the_map_is_drawn_where_the_sites_are(data: Path, tmp_path: Path) -> None:
    """Twice as far apart in the picture's middle as its scale bar says; the chosen one ringed."""
    png = tmp_path / "map.png"
    assert gansource("sites", "show", "--png", png, "--data", data).returncode == 0
    picture = cv2.imread(str(png))
    assert picture is not None
    orange = (picture == (30, 110, 225)).all(axis=2)
    blue = (picture == (178, 90, 20)).all(axis=2)
    (active_y, active_x), (reserve_y, reserve_x) = (
        np.argwhere(colour).mean(axis=0) for colour in (orange, blue)
    )
    assert active_x > reserve_x
    assert active_y > reserve_y
    assert (picture == (90, 140, 20)).all(axis=2).any(), "the green ring of the chosen one"


def test_export_comes_back_by_import(data: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "out.json", tmp_path / "other"
    assert gansource("sites", "export", "--out", out, "--data", data).returncode == 0
    assert gansource("sites", "import", out, "--data", other).returncode == 0
    again = gansource("sites", "export", "--data", other)
    assert json.loads(again.stdout) == json.loads(out.read_text())


@pytest.mark.parametrize(
    ("content", "complaint"), [("{", "no JSON"), ("{}", "form"), ("[]", "form"), (None, "No such")]
)
def test_a_bad_file_is_told_in_one_line_and_changes_nothing(
    data: Path, tmp_path: Path, content: str | None, complaint: str
) -> None:
    file = tmp_path / "bad.json"
    if content is not None:
        file.write_text(content)
    run = gansource("sites", "import", file, "--data", data)
    assert (run.returncode, len(run.stderr.splitlines())) == (4, 1)
    assert complaint in run.stderr
    assert (
        len(json.loads(gansource("sites", "list", "--json", "--data", data).stdout)["sites"]) == 2
    )


def test_reading_is_possible_while_a_controller_works_and_importing_is_not(
    data: Path, tmp_path: Path
) -> None:
    async def meanwhile() -> tuple[int, int]:
        store = await Store.open(data)
        out = tmp_path / "out.json"
        reading = await asyncio.to_thread(
            gansource, "sites", "export", "--out", out, "--data", data
        )
        writing = await asyncio.to_thread(gansource, "sites", "import", out, "--data", data)
        await store.aclose()
        return reading.returncode, writing.returncode

    assert asyncio.run(meanwhile()) == (0, 5)


def test_without_a_store_there_is_nothing_to_read(tmp_path: Path) -> None:
    run = gansource("sites", "list", "--data", tmp_path)
    assert run.returncode == 5
    assert "--data" in run.stderr
