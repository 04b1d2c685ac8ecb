"""gansource keyrate --png: the picture says what the rate does, and is whole or absent."""

import errno
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from controller.__main__ import main

SOURCE = ["--mu", "0.1", "--g2", "0.05"]


def drawn(path: Path, *words: str) -> "np.ndarray[Any, np.dtype[Any]]":
    assert main(["keyrate", *SOURCE, *words, "--png", str(path)]) == 0
    image = cv2.imread(str(path))
    assert image is not None
    return image


def columns_of(image: "np.ndarray[Any, np.dtype[Any]]", colour: tuple[int, int, int]) -> set[int]:
    """Where in the field, to the left of the legend, the colour is seen."""
    near = np.abs(image.astype(int) - colour).max(axis=2) < 40
    near[:210, 560:] = False
    return set(np.flatnonzero(near.any(axis=0)).tolist())


def test_the_picture_shows_the_rate_ending_where_it_ends(tmp_path: Path) -> None:
    """The field spans 100 to 930 pixels for 0 to 1.1 times the largest loss."""
    image = drawn(tmp_path / "rate.png", "--loss-db", "10")
    assert image.shape == (600, 960, 3)
    orange = columns_of(image, (30, 110, 225))
    end = 100 + 830 / 1.1
    assert min(orange) == pytest.approx(101, abs=3)
    assert max(orange) == pytest.approx(end, abs=8)
    assert [path.name for path in tmp_path.iterdir()] == ["rate.png"]


@pytest.mark.parametrize(
    "words",
    [
        ["--loss-db", "0"],
        ["--loss-db", "300"],
        ["--loss-db", "5:40", "--pulses", "1e9"],
        ["--loss-db", "10", "--e0", "0.4"],
        ["--loss-db", "10", "--pd", "0", "--g2", "0"],
    ],
)
def test_every_setup_can_be_drawn(words: list[str], tmp_path: Path) -> None:
    image = drawn(tmp_path / "rate.png", *words)
    assert image.std() > 10, "something is on the paper"


def test_a_picture_that_cannot_be_written_is_status_4_and_harms_nothing(tmp_path: Path) -> None:
    folder, pipe, old = tmp_path / "folder", tmp_path / "pipe", tmp_path / "old.png"
    folder.mkdir()
    os.mkfifo(pipe)
    old.write_bytes(b"old")
    for place in (folder, pipe, old / "x.png", tmp_path / "absent" / "x.png", tmp_path / "x\0"):
        assert main(["keyrate", *SOURCE, "--loss-db", "10", "--png", str(place)]) == 4, place
    assert old.read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "pipe", "old.png"}
    drawn(old, "--loss-db", "10")


def test_an_old_picture_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Whoever has the old file open keeps all of it."""
    path, witness = tmp_path / "rate.png", tmp_path / "witness"
    path.write_bytes(b"old")
    witness.hardlink_to(path)
    drawn(path, "--loss-db", "10")
    assert witness.read_bytes() == b"old"


def test_a_failure_halfway_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    assert main(["keyrate", *SOURCE, "--loss-db", "10", "--png", f"{tmp_path}/rate.png"]) == 4
    assert not any(tmp_path.iterdir())


def test_a_link_is_kept_and_what_it_points_to_replaced(tmp_path: Path) -> None:
    link, target = tmp_path / "link.png", tmp_path / "target.png"
    target.write_bytes(b"old")
    link.symlink_to(target)
    drawn(link, "--loss-db", "10")
    assert link.is_symlink()
    assert target.read_bytes().startswith(b"\x89PNG")
