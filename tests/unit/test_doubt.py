"""Diagnosis of a loss: what is asked, in which order, and what is concluded from it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.causes import Around, Cause, Counted, Framed, Sighting, Stood, Usual
from mapping.doubt import MOST, Look, Remedy, Verdict, advanced, diagnosis
from mapping.outlook import outlook
from mapping.sight import WideSpot
from mapping.suspicion import Suspicion
from mapping.tremor import tremor
from mapping.witness import usual
from optics.quantities import StagePoint

USUAL = Usual((50e3, 48e3), (6e3, 6e3), 0.4, 0.0)
FULL, DARK = (22_400, 21_600), (2_400, 2_400)  # clicks in 0.4 s
WELL = Stood(0.5, 0.001, True, 1.0, True)

COST_S = {Look.STAND: 0.1, Look.COUNT: 0.4, Look.DARK: 0.5} | {
    Look.FRAME: 1.2,
    Look.WAIT: 1.0,
    Look.AROUND: 1.5,
}


def counted(clicks: tuple[int, int], age_s: float = 0.5, **more: object) -> Counted:
    return Counted(age_s, clicks, 0.4, **more)  # type: ignore[arg-type]


class Witness:
    """Answers each look from a table; a count may change with time."""

    def __init__(self, **answers: Sighting | None) -> None:
        self.answers, self.asked, self.age_s = answers, list[Look](), 0.5

    def hear(self, during: tuple[int, int]) -> Verdict:
        plan = diagnosis(counted(during), USUAL)
        step = advanced(plan, None)
        while isinstance(step, Look):
            self.asked.append(step)
            self.age_s += COST_S[step]
            seen = self.answers.get(step.name.lower())
            if step is Look.WAIT and "wait" not in self.answers:
                seen = self.answers.get("count")
            step = advanced(plan, seen and seen._replace(age_s=self.age_s))
        return step


def test_a_blink_is_over_and_nothing_moves() -> None:
    witness = Witness(stand=WELL, count=counted(FULL))
    verdict = witness.hear(DARK)
    assert (verdict.cause, verdict.remedy) == (Cause.BLINK, Remedy.STAY)
    assert witness.asked == [Look.STAND, Look.COUNT]


def test_a_blink_of_some_seconds_is_waited_for() -> None:
    """Until the camera has looked it may still come back; then it does."""
    witness = Witness(stand=WELL, count=counted(DARK), wait=counted(FULL))
    verdict = witness.hear(DARK)
    assert (verdict.cause, verdict.remedy) == (Cause.BLINK, Remedy.STAY)
    assert Look.AROUND not in witness.asked


def test_what_stays_dark_in_its_place_is_given_up_within_eight_seconds() -> None:
    seen = Framed(0.0, 0.02, own=False)
    witness = Witness(stand=WELL, count=counted(DARK), frame=seen, around=Around(0.0, found=False))
    verdict = witness.hear(DARK)
    assert (verdict.cause, verdict.remedy) == (Cause.DARK, Remedy.RETIRE)
    assert Look.FRAME in witness.asked
    assert witness.age_s < 8.0, verdict.reasons
    assert len(verdict.reasons) == len(witness.asked)


def test_no_emitter_is_given_up_when_nothing_could_be_looked_at_but_counts() -> None:
    """No camera, no search: dark is all that is known, and it may have moved."""
    verdict = Witness(stand=WELL, count=counted(DARK)).hear(DARK)
    assert verdict.remedy is not Remedy.CENTRE
    assert Cause.LOST in verdict.shares


@pytest.mark.parametrize(
    ("during", "stand", "cause"),
    [
        ((16_000, 15_500), WELL._replace(power=0.6), Cause.SAG),
        ((40, 40), WELL._replace(emits=False, power=0.0), Cause.LASER_OFF),
        ((40, 40), WELL._replace(emits=False, power=0.0, closed=False), Cause.INTERLOCK),
        ((40, 44), WELL, Cause.NO_LIGHT),
        ((0, 21_600), WELL, Cause.DETECTOR),
        ((0, 0), WELL, Cause.BLIND),
        ((90_000, 95_000), WELL, Cause.STRAY),
        (DARK, WELL._replace(off_um=0.8), Cause.STAGE),
        (DARK, WELL._replace(walked=9.0), Cause.RUNAWAY),
    ],
)
def test_devices_are_told_apart_without_a_move(
    during: tuple[int, int], stand: Stood, cause: Cause
) -> None:
    dark = (0, 0) if cause is Cause.BLIND else (40, 38)
    dark = (0, 38) if cause is Cause.DETECTOR else dark
    witness = Witness(stand=stand, count=counted(during), dark=counted(dark, lit=False))
    verdict = witness.hear(during)
    assert verdict.cause is cause, verdict.reasons
    assert Look.AROUND not in witness.asked


def test_a_shaken_stage_is_no_dim_emitter() -> None:
    half = (11_000, 10_500)
    shaken = counted(half, scatter=40.0, gates=80, beat=0.7)
    assert Witness(stand=WELL, count=shaken).hear(half).cause is Cause.VIBRATION
    steady = counted(half, scatter=0.05, gates=80)
    seen = Framed(0.0, 0.01, own=True)
    around = Around(0.0, True, 0.01, 0.44, 1.0)
    verdict = Witness(stand=WELL, count=steady, frame=seen, around=around).hear(half)
    assert (verdict.cause, verdict.remedy) == (Cause.JUMP, Remedy.RETIRE)


def test_what_the_camera_sees_elsewhere_has_moved() -> None:
    seen = Framed(0.0, 0.7, own=True, way_um=(0.7, 0.0))
    around = Around(0.0, True, 0.7, 1.0, 1.0)
    verdict = Witness(stand=WELL, count=counted(DARK), frame=seen, around=around).hear(DARK)
    assert (verdict.cause, verdict.remedy) == (Cause.LOST, Remedy.CENTRE)


def test_contradictions_are_unknown() -> None:
    """Ten times brighter at one detector, and silent in the dark: nothing explains it."""
    odd = (224_000, 216)
    witness = Witness(stand=WELL, count=counted(odd), dark=counted((40, 38), lit=False))
    verdict = witness.hear(odd)
    assert (verdict.cause, verdict.remedy) == (Cause.UNKNOWN, Remedy.REGISTER)


FINITE = st.floats(0.0, 1e4, allow_nan=False)
SIGHTINGS = st.one_of(
    st.none(),
    st.builds(
        Counted,
        FINITE,
        st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)),
        st.floats(0.01, 10.0),
        st.booleans(),
        st.floats(-1.0, 1e5),
        st.integers(0, 1000),
        st.floats(0.0, 1.0),
    ),
    st.builds(Stood, FINITE, FINITE, st.booleans(), st.floats(0.0, 3.0), st.booleans(), FINITE),
    st.builds(Framed, FINITE, st.none() | FINITE, st.none() | st.booleans()),
    st.builds(Around, FINITE, st.booleans(), FINITE, FINITE, FINITE),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(SIGHTINGS, min_size=sum(MOST.values()), max_size=sum(MOST.values())), st.data())
def test_whatever_is_seen_it_ends_and_belief_is_whole(
    sightings: list[Sighting | None], data: st.DataObject
) -> None:
    during = data.draw(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)))
    plan = diagnosis(counted(during), USUAL)
    step = advanced(plan, None)
    for seen in sightings:
        if isinstance(step, Verdict):
            break
        step = advanced(plan, seen)
    assert isinstance(step, Verdict)
    assert math.isclose(sum(step.shares.values()), 1.0)
    assert step.cause is Cause.UNKNOWN or step.shares[step.cause] >= 0.8


@settings(max_examples=20, deadline=None)
@given(st.permutations(list(range(4))))
def test_the_order_of_independent_looks_does_not_matter(order: list[int]) -> None:
    looks: list[Sighting] = [
        Stood(1.0, 0.004, True, 0.98, True),
        Framed(1.0, 0.03, own=False),
        Around(1.0, found=False),
        Counted(1.0, (60, 58), 0.4, lit=False),
    ]
    shares = []
    for places in (order, range(4)):
        suspicion = Suspicion(USUAL)
        suspicion.weigh(counted(DARK, age_s=1.0), happened=True)
        for place in places:
            suspicion.weigh(looks[place])
        shares.append(suspicion.shares)
    assert all(math.isclose(shares[0][c], shares[1][c], rel_tol=1e-6) for c in Cause)


@given(st.floats(1e3, 1e6), st.floats(0.0, 1e6), st.floats(0.0, 1.0))
def test_usual_light_is_signal_and_ground(total: float, ground: float, share: float) -> None:
    known = usual((total * share, total * (1 - share)), ground, 0.3, 0.0)
    both = sum(known.signal_cps) + sum(known.ground_cps)
    assert math.isclose(both, total, rel_tol=1e-9)
    assert min(known.signal_cps) >= -1e-6 * total


def test_tremor_knows_steady_light_from_a_vibration_and_from_a_telegraph() -> None:
    rng = np.random.default_rng(5)
    times_s = 0.005 * np.arange(100)
    steady = rng.poisson(400.0, 100)
    shaken = rng.poisson(400.0 * (0.7 + 0.3 * np.cos(2 * np.pi * 74.0 * times_s)))
    telegraph = rng.poisson(np.where(times_s % 0.21 < 0.13, 400.0, 60.0))
    once = rng.poisson(np.where(times_s < 0.2, 60.0, 400.0))
    assert abs(tremor(steady.tolist()).scatter) < 0.6
    assert tremor(shaken.tolist()).beat > 0.5
    assert tremor(telegraph.tolist()).scatter > 20.0
    assert tremor(once.tolist()).beat < 0.2
    assert tremor([5] * 3) == (0.0, 0.0)


def test_the_outlook_tells_moved_from_dark() -> None:
    rng = np.random.default_rng(2)
    others = [StagePoint(x, y, 0.0) for x, y in rng.uniform(80.0, 120.0, (14, 2)).tolist()]
    own = StagePoint(100.0, 100.0, 0.0)

    def seen(dx: float, *, with_own: bool) -> list[WideSpot]:
        shown = [*others[:10], own] if with_own else others[:10]
        return [WideSpot(p._replace(x_um=p.x_um + dx), 0.01, 1e3) for p in shown]

    dark = outlook(seen(0.0, with_own=False), own, others)
    assert dark.own is False
    assert dark.moved_um == pytest.approx((0.0, 0.0), abs=1e-9)
    moved = outlook(seen(0.8, with_own=True), own, others)
    assert moved.own is True
    assert moved.moved_um == pytest.approx((0.8, 0.0), abs=1e-9)
    assert outlook([], own, others).moved_um is None
    crowd = [*others, own._replace(y_um=100.4)]
    assert outlook(seen(0.0, with_own=True), own, crowd).own is None
