"""How the end of the light is judged: by who must act."""

import asyncio
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest

from controller.config import LaserConfig
from controller.hardware import Hardware
from controller.lease_keeper import LATE, End, LeaseKeeper
from controller.light import Light
from controller.wishes import Tripped
from optics.faults import DeviceFault, DeviceLost, DeviceRefused

pytestmark = pytest.mark.clocks("jumping")


def light_that_ended(reason: str, *, interlock_closed: bool) -> Light:
    """Lit for a second, and then ended by the board or the keeper for that reason."""
    board = AsyncMock(interlock_closed=AsyncMock(return_value=interlock_closed))
    keeper = LeaseKeeper(board, 0.25)
    board.renew.side_effect = DeviceRefused("board", reason)
    board.lease.return_value = Mock(ended_by=reason)
    if reason == LATE:
        keeper.ended = End(LATE, 0.0, DeviceRefused("board", "the loop came late"))
    laser = AsyncMock(status=AsyncMock(return_value=Mock(emitting=True)))
    devices = Mock(board=board, laser=laser, keeper=keeper)
    return Light(cast(Hardware, devices), LaserConfig(address="memory://laser"))


@pytest.mark.parametrize(
    ("reason", "interlock_closed", "told"),
    [
        (LATE, True, DeviceLost),
        ("EXPIRED", True, DeviceLost),
        ("WATCHDOG", True, DeviceLost),
        ("TEMPERATURE", True, DeviceRefused),
        ("INTERLOCK", True, Tripped),
        ("EXPIRED", False, Tripped),
    ],
)
async def test_an_end_is_told_by_who_must_act(
    reason: str, interlock_closed: bool, told: Any
) -> None:
    with pytest.raises((DeviceFault, Tripped)) as ended:
        async with light_that_ended(reason, interlock_closed=interlock_closed).lit():
            await asyncio.sleep(1.0)
    assert ended.type is told
