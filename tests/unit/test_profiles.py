"""The profiles that come with the product are whole, and name what udev is told to name."""

import re
from pathlib import Path

import pytest

from controller.commands.flash import PORT
from controller.config import load

FOLDER = Path(__file__).parents[2] / "boards" / "profiles"
PROFILES = sorted(FOLDER.glob("*.toml"))
NAME = re.compile(r"/dev/(gansource-\w+)")


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_is_a_configuration_without_mistakes(path: Path) -> None:
    assert load(path).stage.address


def test_rack_and_bench_are_there() -> None:
    assert {path.stem for path in PROFILES} >= {"rack", "bench"}


def test_every_name_of_ours_is_made_by_the_rules() -> None:
    made = re.findall(r'SYMLINK\+="([\w-]+)"', (FOLDER / "99-gansource.rules").read_text())
    wanted = NAME.findall(" ".join([PORT, *(path.read_text() for path in PROFILES)]))
    assert set(wanted) <= set(made)
    assert "gansource-stage" in wanted
