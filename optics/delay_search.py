"""Where zero delay lies and whether light comes in pulses, from a wide histogram of pairs."""

import math
from typing import NamedTuple

import numpy as np

from optics.correlator import Binning
from optics.native import Int64s
from optics.poisson_bounds import Floats

WIDE = Binning(bin_ps=100, window_ps=1_000_000)
WIDTHS_PS = (600, 1_200, 2_500, 5_000, 10_000)  # half a box that takes in most of a dip
RING = 4  # half widths around it, from which its surroundings are told
SLIDING = 20  # tries in half a width: about the square of the deviation that is looked for
CERTAIN = math.log(1000)  # odds against chance, all nearer places counted as tries
PULSES_HZ = (2e6, 1e9)
COMB_POWER = 40.0  # times the median power of the spectrum
SUBHARMONIC_POWER = 0.4  # of the power found: no harmonic is much stronger than the fundamental
SUBHARMONICS = range(8, 1, -1)
PADDING = 4
NEIGHBOURS = 3
OUTWARD = 4  # decay times that a template reaches, and half widths around a box
CENTRING = 6


class Evidence(NamedTuple):
    """A delay, and by how many standard deviations it stands out; not `found`, it is a default."""

    delay_ps: int
    sigmas: float
    found: bool


def pulse_period(counts: Int64s) -> float | None:
    """The period of a train of pulses in ps, if there is one."""
    if not counts.any():
        return None
    spectrum = np.abs(np.fft.rfft(counts - counts.mean(), PADDING * WIDE.bins)) ** 2
    step_hz = 1e12 / (PADDING * WIDE.width_ps)
    low, high = (int(limit / step_hz) for limit in PULSES_HZ)
    floor = max(float(np.median(spectrum[low:high])) / math.log(2), float(counts.sum()))
    top = low + int(np.argmax(spectrum[low:high]))
    if spectrum[top] < COMB_POWER * floor:
        return None
    for part in SUBHARMONICS:
        near = round(top / part)
        if near > low and spectrum[near - 1 : near + 2].max() > SUBHARMONIC_POWER * spectrum[top]:
            top = near - 1 + int(np.argmax(spectrum[near - 1 : near + 2]))
            break
    return 1e12 / _refined_frequency(counts, top * step_hz, step_hz)


def _refined_frequency(counts: Int64s, frequency_hz: float, step_hz: float) -> float:
    """The top of the spectrum between its lines."""
    angle, weight = WIDE.tau_ps * (2e-12 * np.pi), counts.astype(np.float64)
    for _ in range(CENTRING):
        around = [angle * (frequency_hz + part * step_hz) for part in (-0.5, 0.0, 0.5)]
        power = [(np.cos(at) @ weight) ** 2 + (np.sin(at) @ weight) ** 2 for at in around]
        bend = power[0] - 2 * power[1] + power[2]
        shift = 0.5 * (power[0] - power[2]) / bend if bend < 0 else 0.0
        frequency_hz += 0.5 * step_hz * min(max(shift, -1.0), 1.0)
        step_hz /= 2
    return frequency_hz


def missing_peak(counts: Int64s, period_ps: float) -> Evidence:
    """The place of the peak that lacks pairs; without evidence the peak nearest to zero."""
    tau = WIDE.tau_ps
    turn = np.angle(np.exp(2j * np.pi * tau / period_ps) @ counts.astype(complex)) / (2 * np.pi)
    first = turn * period_ps
    if not counts.any():
        return Evidence(0, 0.0, found=False)
    reach = int((WIDE.width_ps / 2 - period_ps) / period_ps)
    pulses = np.arange(-reach, reach + 1)
    edges = first + (np.append(pulses, reach + 1) - 0.5) * period_ps
    below = np.interp(edges, tau + WIDE.bin_ps / 2, np.cumsum(counts))
    areas = np.diff(below)
    around = [_mean_around(areas, k) for k in range(len(areas))]
    sigmas = np.array([_lack(area, mean) for area, mean in zip(areas, around, strict=True)])
    odds = _odds(sigmas, 1 + 2.0 * np.abs(pulses))
    best = int(np.argmax(odds))
    found = bool(odds[best] > CERTAIN)
    place = first + pulses[best] * period_ps if found else first
    return Evidence(round(float(place)), float(sigmas[best]), found=found)


def _mean_around(areas: Floats, k: int) -> float:
    low = max(0, min(k - NEIGHBOURS, len(areas) - 2 * NEIGHBOURS - 1))
    window = areas[low : low + 2 * NEIGHBOURS + 1]
    return float((window.sum() - areas[k]) / max(1, len(window) - 1))


def _lack(count: float, mean: float) -> float:
    """How far a Poisson count is below its mean, in standard deviations."""
    if mean <= 0 or count >= mean:
        return 0.0
    logarithm = math.log(count / mean) if count > 0 else 0.0
    return math.sqrt(2 * (mean - count + count * logarithm))


def dip(counts: Int64s) -> Evidence:
    """The place of a dip under continuous light; zero unless that is clearly not the place."""
    below = np.concatenate([[0], np.cumsum(counts)])
    best, at_zero = (-math.inf, 0.0, 0, 0), 0.0
    for width_ps in WIDTHS_PS:
        half = width_ps // WIDE.bin_ps
        outer = half * (RING + 1)
        middle = np.arange(outer, WIDE.bins - outer)
        inside = below[middle + half + 1] - below[middle - half]
        around = below[middle + outer + 1] - below[middle - outer] - inside
        lack = _lacks(inside, around, (2 * half + 1) / (2 * outer + 1))
        tries = len(WIDTHS_PS) * (1 + SLIDING * np.abs(middle - WIDE.reach) / half)
        odds = _odds(lack, tries)
        at = int(np.argmax(odds))
        best = max(best, (float(odds[at]), float(lack[at]), int(middle[at]), half))
        at_zero = max(at_zero, float(odds[np.argmin(np.abs(middle - WIDE.reach))]))
    odds_best, sigmas, place, half = best
    if odds_best < CERTAIN + max(at_zero, 0.0):
        return Evidence(0, sigmas, found=False)
    return Evidence(_middle(counts, place, half), sigmas, found=True)


def _odds(sigmas: Floats, tries: Floats) -> Floats:
    """Logarithm of the odds against so large a lack by chance in so many tries."""
    chance = sigmas**2 / 2 + np.log(np.maximum(sigmas, 1) * math.sqrt(2 * math.pi))
    odds: Floats = chance - np.log(tries)
    return odds


def _lacks(inside: Int64s, around: Int64s, share: float) -> Floats:
    """How far counts are below their share of all, in standard deviations, few counts or many."""
    total = np.maximum(inside + around, 1)
    likelihood = np.zeros(len(total))
    for part, expected in ((inside, total * share), (around, total * (1 - share))):
        likelihood += part * np.log(np.maximum(part, 1e-300) / expected)
    sigmas: Floats = np.sqrt(2 * np.maximum(likelihood, 0)) * (inside < total * share)
    return sigmas


def _middle(counts: Int64s, place: int, half: int) -> int:
    """Where near this place an exponential dip of some width is most distinct."""
    first, last = max(0, place - OUTWARD * half), min(len(counts), place + OUTWARD * half + 1)
    near = counts[first:last]
    lack = float(np.median(near)) - near
    best = (0.0, place)
    for decay in range(1, half + 1):
        template = np.exp(-np.abs(np.arange(-OUTWARD * decay, OUTWARD * decay + 1)) / decay)
        fit = np.convolve(lack, template, "same") / np.sqrt(template @ template)
        inner = fit[half:-half]
        at = int(np.argmax(inner))
        best = max(best, (float(inner[at]), first + half + at))
    return (best[1] - WIDE.reach) * WIDE.bin_ps
