"""The judge of a run, on worlds where everything is known."""

from dataclasses import replace

import numpy as np
import pytest

from hil.nature import EnvironmentNature
from hil.truth import Claim, Judge
from tests.unit.dark_room import IDEAL, SIGMAS, Bench, aimed, with_chip

EMITTING = Claim("EMITTING", "s1")


def judged(bench: Bench, every_s: float = 0.1) -> Judge:
    return Judge(bench.world, 1, every_s)


def other_than(bench: Bench, emitter: int) -> int:
    return (emitter + 1) % len(bench.emitters)


def test_who_points_best_delivers_all() -> None:
    bench = aimed()
    judge = judged(bench)
    judge.look(0.0, 10.0, EMITTING)
    told = judge.verdict(10.0)
    assert told["target_site"] == "s1"
    assert told["delivered_fraction"] == pytest.approx(1.0, abs=1e-6)
    assert (told["on_target"], told["wrong_emitter_s"], told["time_below_90pct_s"]) == (True, 0, 0)
    assert list(told["final_error_nm"].values()) == pytest.approx([0.0, 0.0, 0.0], abs=0.01)
    assert 0.0 < told["time_to_photons_s"] <= 10.0


@pytest.mark.parametrize("off_um", [(0.05, 0.0, 0.0), (0.0, 0.12, 0.0), (0.0, 0.0, 0.4)])
def test_beside_it_as_much_is_delivered_as_counts_show(off_um: tuple[float, float, float]) -> None:
    """Against the detectors themselves: counts beside, over counts upon it."""
    bench = aimed()
    judge, emitter = judged(bench), bench.loneliest()
    judge.look(0.0, 0.1, EMITTING)
    upon = sum(bench.world.counts(0.0, 5.0))
    bench.aim(emitter, off_um)
    beside = sum(bench.world.counts(10.0, 15.0))
    judge.tally.delivered = judge.tally.best = 0.0
    judge.look(10.0, 15.0, EMITTING)
    told = judge.verdict(15.0)
    share = beside / upon
    error = share * np.sqrt(1 / beside + 1 / upon)
    assert told["delivered_fraction"] == pytest.approx(share, abs=SIGMAS * error)
    assert np.array(list(told["final_error_nm"].values())) == pytest.approx(
        1e3 * np.array(off_um), abs=0.01
    )
    assert told["time_below_90pct_s"] == pytest.approx(5.0 if share < 0.9 else 0.0)


@pytest.mark.parametrize("state", ["VERIFYING", "SURVEYING", "SAFE", "SILENT"])
def test_only_what_is_claimed_is_judged(state: str) -> None:
    judge = judged(aimed())
    judge.look(0.0, 10.0, Claim(state, "s1"))
    told = judge.verdict(10.0)
    assert (told["delivered_fraction"], told["target_site"], told["on_target"]) == (
        None,
        None,
        False,
    )
    assert (judge.tally.claimed_s, told["wrong_emitter_s"]) == (0.0, 0.0)


def test_a_name_means_the_emitter_that_it_first_meant() -> None:
    bench = aimed()
    judge, emitter = judged(bench), bench.loneliest()
    judge.look(0.0, 2.0, EMITTING)
    bench.aim(other_than(bench, emitter))
    judge.look(2.0, 5.0, EMITTING)
    assert judge.verdict(5.0)["wrong_emitter_s"] == pytest.approx(3.0)
    assert not judge.verdict(5.0)["on_target"]
    judge.look(5.0, 9.0, Claim("EMITTING", "s2"))  # honest: another name for another emitter
    told = judge.verdict(9.0)
    assert (told["wrong_emitter_s"], told["target_site"], told["on_target"]) == (3.0, "s2", True)


def test_the_same_name_on_another_chip_is_wrong() -> None:
    bench = aimed()
    judge = judged(bench)
    judge.look(0.0, 2.0, EMITTING)
    bench.world.swap_chip(2.0)
    judge.look(2.5, 6.5, EMITTING)
    told = judge.verdict(6.5)
    assert told["wrong_emitter_s"] == pytest.approx(4.0)
    assert (told["on_target"], told["limit_fraction"]) == (False, None)
    assert told["final_error_nm"] == {"x": None, "y": None, "z": None}


def test_without_light_or_beside_every_emitter_no_name_is_believed() -> None:
    dark = aimed(power_uw=0.0)
    nowhere = aimed()
    nowhere.aim(nowhere.loneliest(), (3.0, 0.0, 0.0))
    for bench in (dark, nowhere):
        judge = judged(bench)
        judge.look(0.0, 5.0, EMITTING)
        assert judge.target is None
        assert judge.verdict(5.0)["delivered_fraction"] is None


def test_a_blinking_emitter_takes_nothing_from_who_waits_for_it() -> None:
    bench = aimed()
    judge = judged(bench)
    bench.world.blink_off(bench.loneliest(), 4.0, 3.0)
    judge.look(0.0, 10.0, EMITTING)
    told = judge.verdict(10.0)
    assert told["delivered_fraction"] == pytest.approx(1.0, abs=1e-6)
    assert (told["wrong_emitter_s"], told["time_below_90pct_s"]) == (0.0, 0.0)
    assert judge.tally.lit_s == pytest.approx(7.0, abs=0.2)


def test_time_to_photons_counts_from_the_latest_power_cut() -> None:
    bench = aimed()
    judge = judged(bench)
    judge.look(0.0, 5.0, EMITTING)
    judge.restarted(100.0)
    assert judge.verdict(100.0)["time_to_photons_s"] is None
    judge.look(120.0, 121.0, EMITTING)
    assert 20.0 < judge.verdict(121.0)["time_to_photons_s"] <= 21.0


def test_looks_fall_at_random_so_that_no_dither_hides() -> None:
    """Off by 0.2 um half of the time, in step with the looks' own interval: half is seen."""
    bench = aimed()
    emitter, period_s = bench.loneliest(), 0.1
    upon_um = bench.world.aim_um(bench.emitters.place_um[emitter], 0.0)

    def dithered(times_s: np.ndarray[tuple[int], np.dtype[np.float64]]) -> object:
        away = (times_s % period_s) > period_s / 2
        return upon_um + np.outer(away, (0.2, 0.0, 0.0))

    bench.world._stage = dithered  # type: ignore[assignment] # noqa: SLF001 - it is handed in once
    judge = judged(bench, period_s)
    judge.look(0.0, 200.0, EMITTING)
    judge.target = judge.target or (0, emitter)
    below_s = judge.verdict(200.0)["time_below_90pct_s"]
    assert below_s == pytest.approx(100.0, abs=SIGMAS * 0.1 * np.sqrt(2000) / 2)


def test_the_limit_is_one_without_a_walk_and_falls_with_it() -> None:
    limits = []
    for nm2_per_s in (0.0, 0.02, 20.0):
        walk = EnvironmentNature(
            **{**IDEAL.environment.__dict__, "walk_nm2_per_s": (nm2_per_s,) * 3}
        )
        judge = judged(aimed(replace(with_chip(), environment=walk)))
        judge.look(0.0, 1.0, EMITTING)
        limits.append(judge.verdict(1.0)["limit_fraction"])
    assert limits[0] == 1.0
    assert 0.99 < limits[1] < 1.0
    assert (1.0 - limits[2]) / (1.0 - limits[1]) == pytest.approx(10.0, rel=0.02)  # cube root


def test_spread_of_brightness_is_that_of_what_was_delivered() -> None:
    bench = aimed()
    judge = judged(bench)
    assert judge.brightness_sd_share() is None
    for second in range(10):
        bench.world.laser_share.set(float(second), 1.0 if second % 2 else 0.5)
        judge.look(second + 0.0, second + 1.0, EMITTING)
    # 2000 and 1000 uW of light that is half as good as polarised: 1/2 and 1/3 of saturation
    assert judge.brightness_sd_share() == pytest.approx(0.2, abs=0.01)
