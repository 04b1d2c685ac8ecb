"""The focus stands by the stage, or by the stage and the board's offsets together."""

from itertools import pairwise
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest

from controller.light import Light
from controller.probe import Probe
from optics.faults import DeviceLost
from optics.quantities import StagePoint

pytestmark = pytest.mark.clocks("jumping")

AT = StagePoint(100.0, 100.0, 100.0)
NEAR = StagePoint(100.01, 99.98, 100.05)


class Bench:
    """A probe at a stage and a board that do as they are told."""

    def __init__(self, reach_um: float = 5.0) -> None:
        self.stage, self.board = AsyncMock(), AsyncMock()
        light = cast(Light, Mock(board=self.board))
        never: Any = None
        self.probe = Probe(self.stage, light, never, never, (reach_um,) * 3)

    @property
    def stands_um(self) -> list[float]:
        """The sum of both, by what they were told last."""
        [place], offset = self.stage.move_to.await_args.args, (0.0, 0.0, 0.0)
        if self.board.offset.await_args:
            offset = self.board.offset.await_args.args
        return [a + b for a, b in zip(place, offset, strict=True)]


async def test_a_nudge_moves_the_offsets_and_not_the_stage() -> None:
    bench = Bench()
    await bench.probe.go(AT)
    await bench.probe.nudge(NEAR)
    await bench.probe.nudge(NEAR)
    assert bench.stands_um == pytest.approx(NEAR)
    assert bench.stage.move_to.await_count == bench.board.offset.await_count == 1


@pytest.mark.parametrize("reach_um", [0.0, 0.02])
async def test_what_the_offsets_do_not_reach_the_stage_goes(reach_um: float) -> None:
    bench = Bench(reach_um)
    await bench.probe.go(AT)
    await bench.probe.nudge(NEAR)
    bench.stage.move_to.assert_awaited_with(NEAR)
    bench.board.offset.assert_not_awaited()


async def test_a_nudge_from_nowhere_is_a_move() -> None:
    bench = Bench()
    await bench.probe.nudge(NEAR)
    bench.stage.move_to.assert_awaited_once_with(NEAR)


async def test_a_move_takes_the_offsets_back_first() -> None:
    bench = Bench()
    await bench.probe.go(AT)
    await bench.probe.nudge(NEAR)
    await bench.probe.go(AT)
    bench.board.offset.assert_awaited_with(0.0, 0.0, 0.0)
    assert bench.stands_um == pytest.approx(AT)


async def test_a_long_drift_goes_over_to_the_stage_in_steps_that_hardly_show() -> None:
    bench, to = Bench(), AT
    await bench.probe.go(AT)
    for _ in range(500):
        to = StagePoint(to.x_um + 0.02, to.y_um, to.z_um)
        await bench.probe.nudge(to)
        assert bench.stands_um == pytest.approx(to)
    places = [call.args[0].x_um for call in bench.stage.move_to.await_args_list]
    assert max(b - a for a, b in pairwise(places)) < 0.031
    assert to.x_um - places[-1] < 2.6


async def test_offsets_that_failed_are_sent_again() -> None:
    bench = Bench()
    await bench.probe.go(AT)
    bench.board.offset.side_effect = DeviceLost("board", "unplugged")
    with pytest.raises(DeviceLost):
        await bench.probe.nudge(NEAR)
    bench.board.offset.side_effect = None
    await bench.probe.nudge(NEAR)
    assert bench.board.offset.await_count == 2
