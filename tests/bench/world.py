"""How fast the rig's world answers: frames, counts, time tags; and where the time goes.

    python tests/bench/world.py [--rounds N]

Prints one JSON object: the best and the median of the rounds, one core. Time is the process's
own, so that a busy machine counts less.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from hil.nature import CameraNature, ChipNature, WorldNature
from hil.world import World

POWER_UW, WIDE_POWER_UW = 1300.0, 200e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    results = {
        **_frames(512, 200, rounds),
        **_frames(2048, 2000, max(3, rounds // 3)),
        **_counts(rounds),
        **_tags("one emitter", ChipNature(shelved=(0.0, 0.0)), 0.0, rounds),
        **_tags("one emitter with a third level", ChipNature(shelved=(0.6, 0.6)), 0.0, rounds),
        **_tags("laser light", ChipNature(sites_per_um2=0.0), 1e6, rounds),
    }
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


def _timed(act: Callable[[int], object], rounds: int) -> tuple[float, float]:
    """Best and median, in seconds."""
    act(0)
    found = []
    for n in range(1, rounds + 1):
        began_s = time.process_time()
        act(n)
        found.append(time.process_time() - began_s)
    return min(found), statistics.median(found)


def _ms(name: str, timed: tuple[float, float]) -> dict[str, object]:
    return {name: {"best_ms": round(timed[0] * 1e3, 3), "median_ms": round(timed[1] * 1e3, 3)}}


def _world(nature: WorldNature, emitter: bool) -> World:
    """Pointed at a bright and lonely emitter, or at the middle of the chip."""
    aim_um = np.array([[100.0, 100.0, 100.0]])
    world = World(nature, 1, lambda _times_s: aim_um)
    place_um = np.zeros(3)
    if emitter:
        scene, world_emitters = world.scene(0.0), world.scene(0.0).chip.emitters
        seen = scene.emission.visible(
            scene.emission.group(np.arange(len(world_emitters))), np.zeros(1)
        )
        inside = np.hypot(*world_emitters.place_um[:, :2].T) < 60.0
        steady = world_emitters.is_single & inside & ~world_emitters.jumps & ~world_emitters.blinks
        place_um = world_emitters.place_um[
            np.argmax(world_emitters.saturated_cps * seen[:, 0] * steady)
        ]
    aim_um[0] = world.aim_um(place_um, 0.0)
    return world


def _frames(size_px: int, emitters: int, rounds: int) -> dict[str, object]:
    camera = CameraNature(width_px=size_px, height_px=size_px)
    density = emitters / (size_px * camera.pixel_um) ** 2
    chip = ChipNature(sites_per_um2=density, pair_share=0.0, cluster_share=0.0)
    world = _world(replace(WorldNature(), chip=chip, camera=camera), emitter=False)
    world.wide_field.set(0.0, 1.0)
    world.laser_uw.set(0.0, WIDE_POWER_UW)
    name = f"{size_px} x {size_px}, {emitters} emitters"
    light = np.full((size_px, size_px), 300.0)
    return {
        **_ms(f"frame {name}", _timed(lambda n: world.frame(world.camera, float(n), 0.1), rounds)),
        **_ms(
            f"  of it the sensor, {name}",
            _timed(lambda n: world.camera.frame(light, n, 0.1), rounds),
        ),
    }


def _counts(rounds: int) -> dict[str, object]:
    world = _world(WorldNature(), emitter=True)
    world.laser_uw.set(0.0, POWER_UW)
    asked = 20 * rounds
    return {
        **_ms(
            "counts of a gate of 0.1 s", _timed(lambda n: world.counts(n / 10, (n + 1) / 10), asked)
        ),
        **_ms("counts of a gate of 1 s", _timed(lambda n: world.counts(n, n + 1), asked)),
        **_ms(
            "counts and coincidences of a gate of 0.1 s",
            _timed(lambda n: _both(world, 1000 + n / 10), asked),
        ),
    }


def _both(world: World, since_s: float) -> None:
    world.counts(since_s, since_s + 0.1)
    world.coincidences(since_s, since_s + 0.1, 3000)


def _tags(name: str, chip: ChipNature, lamp_cps: float, rounds: int) -> dict[str, object]:
    world = _world(replace(WorldNature(), chip=chip), emitter=bool(chip.sites_per_um2))
    world.laser_uw.set(0.0, POWER_UW)
    world.lamp_cps.set(0.0, lamp_cps)
    number = len(world.tags(0.0, 1.0)[0])
    best_s, median_s = _timed(lambda n: world.tags(float(n), float(n + 1)), rounds)
    rates = {"best": round(number / best_s / 1e6, 2), "median": round(number / median_s / 1e6, 2)}
    return {f"tags of {name}, million a second": {"tags": number, **rates}}


if __name__ == "__main__":
    main()
