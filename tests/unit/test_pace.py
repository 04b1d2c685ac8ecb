"""What a survey says of its time: right when all is even, never backwards, done at the end."""

import pytest

from controller.pace import Pace, Work


def done(pace: Pace, tiles: int, visits: int) -> tuple[float, float]:
    """After so much of four tiles, each with five places to visit."""
    return pace.progress(Work(tiles, 4 - tiles, tiles, 4 - tiles, visits, 5 * tiles - visits))


def test_an_even_survey_is_foretold() -> None:
    pace = Pace()
    for tiles in (1, 2, 3, 4):
        pace.took("tile", 1.5)
        _, left_s = done(pace, tiles, 0)
        assert left_s == pytest.approx((4 - tiles) * 1.5 + 20 * 6.0)
    shares = []
    for visits in range(1, 21):
        pace.took("visit", 6.0)
        share, left_s = done(pace, 4, visits)
        assert left_s == pytest.approx((20 - visits) * 6.0)
        shares.append(share)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_what_takes_longer_is_learnt_and_nothing_goes_backwards() -> None:
    pace = Pace()
    before, _ = done(pace, 4, 10)
    for _ in range(10):
        pace.took("visit", 60.0)
    share, left_s = done(pace, 4, 10)
    assert share >= before
    assert left_s > 10 * 50.0


def test_tiles_beside_the_area_lead_to_no_visits() -> None:
    _, left_s = Pace().progress(Work(1, 3, 1, 0, 0, 5))
    assert left_s == pytest.approx(3 * 1.5 + 5 * 6.0)
