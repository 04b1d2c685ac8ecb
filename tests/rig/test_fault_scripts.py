"""Random troubles leave the rig whole: no emulator fails, hangs or leaks; each seed replays."""

import asyncio
from collections.abc import Callable

import pytest

from hil.emulators.cobolt import Cobolt
from hil.emulators.io_board import IoBoard
from hil.emulators.pi_gcs import PiGcs
from hil.rack import Rack
from tests.rig import fault_scripts
from tests.rig.fault_scripts import failures, played

FEW, BLOCK, BLOCKS = 40, 500, 20
SABOTAGED = 3


def test_some_scripts_leave_the_rig_whole() -> None:
    assert failures(1, FEW) == []


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_ten_thousand_scripts_leave_the_rig_whole(block: int) -> None:
    assert failures(1 + block * BLOCK, (block + 1) * BLOCK) == []


def test_a_script_replays_from_its_seed() -> None:
    once, again, other = (played(seed).sha256 for seed in (7, 7, 8))
    assert once == again != other


def fails(self: object, data: bytes) -> bytes:
    raise ValueError(f"cannot bear {data!r}")


def is_silent(self: object, data: bytes) -> bytes:
    return b""


def stays_on(self: object) -> None:
    asyncio.get_running_loop().call_later(1e6, is_silent, self, b"")


def starts_more(start: Callable[[Rack], None], kept: list[Rack]) -> Callable[[Rack], None]:
    def power_on(self: Rack) -> None:
        kept.append(self)
        start(self)

    return power_on


def test_each_kind_of_harm_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: an emulator that fails, one that is silent, a timer and an object that stay."""
    monkeypatch.setattr(fault_scripts, "BACK_WITHIN_S", 10.0)
    kept: list[Rack] = []
    for owner, name, harm, complaint in (
        (Cobolt, "receive", fails, "cannot bear"),
        (PiGcs, "receive", is_silent, "the stage stays silent"),
        (IoBoard, "power_off", stays_on, "a timer is left"),
        (Rack, "power_on", starts_more(Rack.power_on, kept), "never let go"),
    ):
        with monkeypatch.context() as sabotage:
            sabotage.setattr(owner, name, harm)
            assert complaint in "; ".join(failures(SABOTAGED, SABOTAGED)), name
    kept.clear()
    assert failures(SABOTAGED, SABOTAGED) == []
