"""The unit for systemd is one that it takes, shuts the service in, and keeps it running."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "boards" / "systemd" / "gansource.service"
MOST_EXPOSED = 2.5

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")


def analyze(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = ["systemd-analyze", "--no-pager", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def exposure(text: str, folder: Path) -> float:
    """How much of the machine a service with this unit could reach, 0 to 10."""
    path = folder / UNIT.name
    path.write_text(text)
    told = analyze("security", "--offline=true", path).stdout
    found = re.search(r"exposure level for \S+ ([\d.]+)", told)
    assert found, told
    return float(found[1])


@needs_systemd
def test_systemd_takes_every_line(tmp_path: Path) -> None:
    """Of a copy whose command is there; a line it does not know is told."""
    text = UNIT.read_text().replace("/opt/gansource", str(ROOT))
    path = tmp_path / UNIT.name
    path.write_text(text)
    assert analyze("verify", path).stderr == ""
    path.write_text(text.replace("Restart=always", "Restart=allways"))
    assert "allways" in analyze("verify", path).stderr


@needs_systemd
def test_it_can_reach_little_of_the_machine(tmp_path: Path) -> None:
    text = UNIT.read_text()
    assert exposure(text, tmp_path) <= MOST_EXPOSED
    assert exposure(re.sub(r"(?m)^(Protect|Restrict).*\n", "", text), tmp_path) > MOST_EXPOSED


def test_it_comes_back_whatever_ends_it_and_starts_before_anybody_logs_in() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    service = unit["Service"]
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0", "it never gives up"
    assert float(service["WatchdogSec"]) >= 5.0, "several of the loop's reports, one a second"
    assert service["StateDirectory"] == "gansource"
    assert unit["Install"]["WantedBy"] == "multi-user.target"
