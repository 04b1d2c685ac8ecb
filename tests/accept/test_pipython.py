"""PIPython, the maker's own client, finds nothing amiss with the emulated controllers."""

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hil.emulators.pi_gcs import PiGcs
from hil.emulators.pi_gcs_models import C867, E727, Model
from hil.eventlog import EventLog
from hil.ports import PtyPort, TcpPort
from hil.wires import Manners, Port, Wire

SCRIPT = Path(__file__).with_name("pipython_session.py")
WITHIN_S = 60.0
QUICK_PIEZOS = tuple(replace(axis, autozero_s=0.3) for axis in E727.axes)
QUICK_MOTORS = tuple(replace(axis, speed=100_000.0) for axis in C867.axes)


@dataclass(frozen=True)
class Expected:
    """How a controller is to be referenced, and how well it must stand, in µm."""

    model: Model
    referencing: str
    within_um: float

    @property
    def unit_um(self) -> float:
        return self.model.axes[0].um_per_unit


PIEZO = Expected(replace(E727, axes=QUICK_PIEZOS), "ATZ", 0.02)
MOTOR = Expected(replace(C867, axes=QUICK_MOTORS), "FRF", 1.0)


async def told_over(port: Port, expected: Expected, seed: int) -> tuple[dict[str, Any], PiGcs]:
    """A whole session behind an ordinary, splitting and dawdling wire."""
    clock = asyncio.get_running_loop().time
    emulator = PiGcs(expected.model, clock, seed)
    wire = Wire("stage", port, emulator, seed, Manners(), EventLog(clock))
    await port.open()
    try:
        kind, _, place = port.address.partition("://")
        address = place.split(":") if kind == "tcp" else [place]
        return await child(expected.referencing, kind, *address), emulator
    finally:
        wire.close()


async def child(*arguments: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SCRIPT), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0, complaints.decode()
    told: dict[str, Any] = json.loads(out)
    return told


@pytest.mark.parametrize("expected", [PIEZO, MOTOR], ids=["E-727", "C-867"])
@pytest.mark.parametrize("wire", ["tcp", "pty"])
async def test_pipython_is_content(
    wire: str, expected: Expected, tmp_path: Path, seed: int
) -> None:
    port = TcpPort() if wire == "tcp" else PtyPort(tmp_path / "stage")
    told, emulator = await told_over(port, expected, seed)
    names = [axis.name for axis in expected.model.axes]
    assert told["identity"] == expected.model.identity
    assert told["axes"] == names
    assert told["refused_at_first"][0] == 5
    assert told["servo"] == told["referenced"] == dict.fromkeys(names, True)
    assert told["high"] == {a.name: a.high_um / expected.unit_um for a in expected.model.axes}
    assert told["out_of_limits"] == [7, "Position out of limits 7"]
    assert told["unknown"] == [2, "Unknown command 2"]
    stopped = {
        "moving": True,
        "refusal": [10, "Controller was stopped by command 10"],
        "still_moving": False,
    }
    assert told["stopped"] == told["stopped_by_line"] == stopped
    assert told["error_in_the_end"] == 0
    for move in told["moves"]:
        within = expected.within_um / expected.unit_um
        assert move["position"] == pytest.approx(move["target"], abs=within)
        assert not any(move["moving"].values())
    last_um = [told["moves"][-1]["target"][name] * expected.unit_um for name in names]
    assert emulator.true_position_um() == pytest.approx(last_um, abs=expected.within_um)
