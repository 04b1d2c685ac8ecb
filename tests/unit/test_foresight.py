"""Counting ahead of time changes no number, whatever happens in between."""

import random

import numpy as np
import pytest

from hil.keyed import Floats
from hil.nature import ChipNature, WorldNature
from hil.world import World
from tests.unit.dark_room import loneliest

WITHIN_PS = 24_000
NATURE = WorldNature(chip=ChipNature(width_um=60.0, blinker_share=0.5, jumper_share=0.5))


class Stage:
    """Stands still between moves, and tells those who want to know of each."""

    def __init__(self) -> None:
        self.since_s, self.places_um = [0.0], [np.full(3, 100.0)]

    def __call__(self, times_s: Floats) -> Floats:
        at = np.searchsorted(self.since_s, times_s + 1e-9, side="right") - 1
        return np.array(self.places_um)[at]

    def move(self, now_s: float, place_um: Floats) -> None:
        self.since_s.append(now_s)
        self.places_um.append(place_um)


def _happening(world: World, stage: Stage, now_s: float, rng: random.Random) -> None:
    """Something, at that instant; the same from the same draws."""
    emitter = loneliest(world.scene(now_s).chip.emitters)
    place_um = world.scene(now_s).chip.emitters.place_um[emitter]
    match rng.randrange(9):
        case 0 | 1:
            stage.move(now_s, world.aim_um(place_um, now_s) + rng.uniform(-0.3, 0.3))
            world.moved(now_s)
        case 2:
            world.laser_uw.set(now_s, rng.choice((0.0, rng.uniform(0.0, 3000.0))))
        case 3:
            world.blink_off(emitter, now_s, rng.uniform(0.0, 0.5))
        case 4:
            world.jump(emitter, now_s, rng.uniform(-60.0, 60.0))
        case 5:
            world.laser_share.between(now_s, now_s + 0.2, 0.5)
        case 6:
            world.shake(now_s, 1.0, 20.0, (0.1, 0.1, 0.1))
        case 7:
            world.swap_chip(now_s + rng.uniform(0.0, 0.3))
        case _:
            world.lamp_cps.between(now_s, now_s + 0.1, 1e5)


def _counted(seed: int, *, ahead: bool) -> list[tuple[int, int, int]]:
    stage, rng, now_s = Stage(), random.Random(seed), 0.0
    world, seen = World(NATURE, 3, stage), []
    if ahead:
        world.foresee()
    for _ in range(120):
        until_s = round(now_s + rng.choice((0.001, 0.01, 0.1, 0.25)), 3)
        pairs = world.coincidences(now_s, until_s, WITHIN_PS)
        seen.append((*world.counts(now_s, until_s), pairs))
        now_s = until_s
        if rng.random() < 0.4:
            _happening(world, stage, now_s, rng)
    return seen


@pytest.mark.parametrize("seed", range(4))
def test_what_was_foreseen_is_what_would_have_been_counted(seed: int) -> None:
    counted = _counted(seed, ahead=True)
    assert counted == _counted(seed, ahead=False)
    assert sum(a for a, _, _ in counted) > 1000
    assert sum(pairs for *_, pairs in counted) > 0


def test_a_gate_counts_the_nearest_whole_milliseconds() -> None:
    world = World(NATURE, 3, Stage())
    world.laser_uw.set(0.0, 1300.0)
    world.swap_chip(0.2)
    world.foresee()
    for since_s, until_s in ((0.05, 0.06), (0.195, 0.205), (0.25, 0.35)):
        counted = (*world.counts(since_s, until_s), world.coincidences(since_s, until_s, WITHIN_PS))
        for late_s in (-4e-4, 0.0, 4e-4):
            assert world.gate(since_s + late_s, until_s + late_s, WITHIN_PS) == counted


def test_what_nobody_told_is_not_seen() -> None:
    """Sabotage: a stage that moves in secret is counted where it was bound to be."""
    stage = Stage()
    world = World(NATURE, 3, stage)
    world.foresee()
    emitter = loneliest(world.scene(0.0).chip.emitters)
    aim_um = world.aim_um(world.scene(0.0).chip.emitters.place_um[emitter], 0.0)
    world.laser_uw.set(0.0, 1300.0)
    world.counts(0.0, 0.01)
    stage.move(0.01, aim_um)
    in_secret = world.counts(0.01, 0.02)
    world.changed(0.01)
    assert sum(world.counts(0.01, 0.02)) > 2 * sum(in_secret)
