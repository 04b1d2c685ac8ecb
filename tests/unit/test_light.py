"""Images and spots against the closed forms of diffraction theory."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq, least_squares
from scipy.special import j0, j1

from hil.backdrop import Grid, glow
from hil.chip import Chip
from hil.confocal import Confocal
from hil.diffraction import image, radial
from hil.light import Spots
from tests.laws import Law
from tests.unit.dark_room import CHIP, OPTICS, Floats

WAVE_UM, NA = OPTICS.emission_um, OPTICS.numerical_aperture
PIXEL_UM = 0.065


def airy(radius_um: Floats, wave_um: float = WAVE_UM, aperture: float = NA) -> Floats:
    """Relative to the peak: (2 J1(v) / v)^2, v = 2 pi NA r / wavelength."""
    v = np.maximum(2.0 * math.pi * aperture * radius_um / wave_um, 1e-9)
    return np.asarray((2.0 * j1(v) / v) ** 2)


PEAK_PER_UM2 = math.pi * (NA / WAVE_UM) ** 2
"""Of an Airy pattern that holds one photon."""


def spot(x_px: float = 40.0, y_px: float = 40.0, z_um: float = 0.0, **optics: float) -> Floats:
    """One photon's image on 81 by 81 pixels."""
    spots = Spots(replace(OPTICS, **optics), PIXEL_UM)  # type: ignore[arg-type]
    canvas = spots.canvas(81, 81)
    spots.draw(canvas, np.array([[x_px, y_px, z_um]]), np.array([1.0]))
    return spots.seen(canvas).astype(np.float64)


def moments(picture: Floats, within_px: float = 1e9) -> tuple[float, float, float]:
    """Centroid and its sum."""
    rows, columns = np.indices(picture.shape)
    light = np.where(np.hypot(rows - 40, columns - 40) < within_px, picture, 0.0)
    total = light.sum()
    return float((light * columns).sum() / total), float((light * rows).sum() / total), float(total)


def test_the_image_of_a_point_is_an_airy_pattern() -> None:
    places_um = np.arange(-100.0, 101.0) * 0.01
    cut = image(OPTICS, places_um, 0.0)[100]
    assert np.allclose(cut / PEAK_PER_UM2, airy(np.abs(places_um)), atol=0.01)


def test_its_first_zero_and_width_are_those_of_the_textbook(law: Law) -> None:
    """Zero at 0.61 wavelengths over NA, full width at half maximum 0.51."""
    places_um = np.arange(0.0, 801.0) * 0.001
    cut = image(OPTICS, places_um, 0.0)[0]
    first_zero_um = places_um[np.argmax(np.diff(cut) > 0)]
    in_waves = NA / WAVE_UM
    law.within("first zero of a spot, wavelengths / NA", first_zero_um * in_waves, 0.6098, 0.003)
    half_um = float(np.interp(0.5, (cut / cut[0])[300::-1], places_um[300::-1]))
    law.within("full width at half maximum, the same", 2.0 * half_um * in_waves, 0.5145, 0.003)


@pytest.mark.parametrize(
    ("x_px", "y_px"), [(40.0, 40.0), (40.25, 39.5), (40.4, 40.9), (39.63, 40.37)]
)
def test_pixels_hold_the_integral_over_their_area(x_px: float, y_px: float) -> None:
    """Against Gauss and Legendre's quadrature of the Airy pattern; places between those tabled."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    fine, weight = nodes / 2, np.outer(weights, weights) / 4
    expected = np.empty((21, 21))
    for row in range(21):
        for column in range(21):
            y, x = np.meshgrid(row + 30 + fine - y_px, column + 30 + fine - x_px, indexing="ij")
            density = airy(np.hypot(x, y) * PIXEL_UM) * PEAK_PER_UM2
            expected[row, column] = np.sum(weight * density) * PIXEL_UM**2
    assert np.abs(spot(x_px, y_px)[30:51, 30:51] - expected).max() < 0.01 * expected.max()


def test_a_moved_emitter_moves_by_as_much() -> None:
    """Found again by a fit of the Airy pattern to the pixels around it."""
    rows, columns = np.indices((81, 81))

    def off(guess: Floats, picture: Floats) -> Floats:
        distance_um = np.hypot(columns - guess[0], rows - guess[1]) * PIXEL_UM
        return np.asarray((guess[2] * airy(distance_um) - picture)[30:51, 30:51].ravel())

    for x_px, y_px in ((40.1, 39.8), (40.37, 40.62), (39.95, 40.5)):
        found = least_squares(off, (40.0, 40.0, 0.02), args=(spot(x_px, y_px),)).x
        assert found[:2] == pytest.approx((x_px, y_px), abs=0.002)


def test_light_is_conserved() -> None:
    """Within a radius lies 1 - J0^2 - J1^2 of it (Rayleigh), whatever the place in the pixel."""
    for radius_px in (8.0, 16.0, 28.0):
        v = 2.0 * math.pi * NA * radius_px * PIXEL_UM / WAVE_UM
        *_, total = moments(spot(), radius_px)
        # Pixels on the rim are taken as a whole: half a pixel of the light there.
        rim = (
            airy(np.array(radius_px * PIXEL_UM))
            * PEAK_PER_UM2
            * 2
            * math.pi
            * radius_px
            * PIXEL_UM**2
        )
        tolerance = 0.006 + 0.5 * float(rim)
        assert total == pytest.approx(1.0 - j0(v) ** 2 - j1(v) ** 2, abs=tolerance)
    sums = [spot(40.0 + dx, 40.0).sum() for dx in (0.0, 0.3, 0.5, 0.77)]
    assert np.ptp(sums) < 1e-3
    assert spot(z_um=0.7).sum() == pytest.approx(sums[0], abs=0.03)


def test_out_of_focus_the_peak_falls_as_a_sinc(law: Law) -> None:
    """On the axis (sin(u/4) / (u/4))^2, u = 2 pi NA^2 z / wavelength, for a small aperture."""
    low = replace(OPTICS, numerical_aperture=0.2)
    heights_um = np.linspace(0.0, 40.0, 81)
    axis = radial(low, WAVE_UM, np.array([0.0]), heights_um)[0]
    u = 2.0 * math.pi * 0.2**2 * heights_um / WAVE_UM
    assert np.allclose(axis, np.sinc(u / 4.0 / math.pi) ** 2, atol=0.01)
    middle = [image(low, np.array([0.0]), z)[0, 0] for z in heights_um]
    assert np.allclose(np.array(middle) / middle[0], axis, atol=0.005)
    zero_um = heights_um[np.argmax(np.diff(axis) > 0)]
    law.within("first zero along the axis, wavelengths / NA^2", zero_um * 0.04 / WAVE_UM, 2.0, 0.04)


@pytest.mark.parametrize("kind", ["astigmatism_waves", "coma_waves", "spherical_waves"])
def test_aberrations_take_from_the_peak_what_marechal_says(law: Law, kind: str) -> None:
    """Strehl = exp(-(2 pi rms)^2) at the best place, which coma shifts."""
    optics = replace(OPTICS, **{kind: 0.06})  # type: ignore[arg-type]
    places_um = np.arange(-20.0, 21.0) * 0.01
    strehl = image(optics, places_um, 0.0).max() / PEAK_PER_UM2
    marechal = math.exp(-((2.0 * math.pi * 0.06) ** 2))
    law.within(f"Strehl ratio, 0.06 {kind.replace('_', ' ')}", strehl, marechal, 0.015)


def test_aberrations_give_the_image_their_shape() -> None:
    def lopsided(picture: Floats) -> float:
        columns = np.arange(picture.shape[1])
        return float(np.sum(picture * (columns - moments(picture)[0]) ** 3) / picture.sum())

    def longer(picture: Floats) -> float:
        rows, columns = np.indices(picture.shape)
        return float(np.sum(picture * ((columns - 40) ** 2 - (rows - 40) ** 2)) / picture.sum())

    assert abs(lopsided(spot(coma_waves=0.06))) > 20 * abs(lopsided(spot()))
    one, other = (longer(spot(z_um=z, astigmatism_waves=0.06)) for z in (-0.4, 0.4))
    assert one * other < 0.0
    assert min(abs(one), abs(other)) > 20 * abs(longer(spot(z_um=0.4)))


def test_what_lies_outside_is_drawn_as_far_as_it_reaches() -> None:
    spots = Spots(OPTICS, PIXEL_UM)
    canvas = spots.canvas(40, 40)
    far = np.array([[-500.0, 20.0, 0.0], [20.0, 1e6, 0.0]])
    spots.draw(canvas, np.vstack((far, [[-3.0, 20.0, 0.0]])), np.ones(3))
    inside = spots.seen(canvas)
    assert np.allclose(inside[:, :28], spot(40.0, 40.0)[20:60, 43:71], atol=1e-7)
    assert inside.sum() > 1e-3


def test_the_spot_excites_as_an_airy_pattern_of_the_pump() -> None:
    radii_um = np.linspace(0.0, 1.5, 301)
    excited, _ = Confocal(OPTICS).at(radii_um, np.zeros(301))
    assert np.allclose(excited, airy(radii_um, OPTICS.pump_um), atol=1e-3)


def test_the_fibre_collects_the_image_over_its_core() -> None:
    """Against a direct integral; a vanishing core sees the Airy pattern itself."""
    tiny = replace(OPTICS, fibre_core_um=0.01)
    radii_um = np.linspace(0.0, 1.0, 101)
    _, collected = Confocal(tiny).at(radii_um, np.zeros(101))
    assert np.allclose(collected, airy(radii_um), atol=2e-3)

    def caught(distance_um: float) -> float:
        def ring(radius_um: float) -> float:
            turn = np.linspace(0.0, 2.0 * math.pi, 181)[:-1]
            x, y = distance_um + radius_um * np.cos(turn), radius_um * np.sin(turn)
            return float(airy(np.hypot(x, y)).mean() * radius_um)

        return float(quad(ring, 0.0, OPTICS.fibre_core_um / 2)[0])

    expected = [caught(distance_um) / caught(0.0) for distance_um in (0.1, 0.25, 0.4)]
    _, collected = Confocal(OPTICS).at(np.array([0.1, 0.25, 0.4]), np.zeros(3))
    assert collected == pytest.approx(expected, abs=0.01)


def test_between_tabled_values_the_spot_is_as_at_them() -> None:
    rng = np.random.default_rng(3)
    radii_um, heights_um = rng.uniform(0.0, 0.6, 300), rng.uniform(-0.8, 0.8, 300)
    excited, _ = Confocal(OPTICS).at(radii_um, heights_um)
    direct = radial(OPTICS, OPTICS.pump_um, radii_um, heights_um).diagonal()
    assert np.abs(excited - direct).max() < 3e-3


def test_the_spot_has_the_depth_of_the_textbook() -> None:
    """Half the excitation, for a uniform pupil, where sinc^2 falls to one half: u/4 = 1.39."""
    confocal = Confocal(replace(OPTICS, numerical_aperture=0.5))

    def excess(z_um: float) -> float:
        return float(confocal.at(np.zeros(1), np.array([z_um]))[0][0]) - 0.5

    cosine = math.sqrt(1 - 0.25)
    paraxial_um = 1.392 * 4 / (2 * math.pi * 0.25) * OPTICS.pump_um
    assert brentq(excess, 0.2, 2.4) == pytest.approx(paraxial_um * (1 + cosine) / 2, rel=0.02)


@pytest.mark.parametrize("middle_um", [(0.0, 0.0), (31.0, -12.0), (98.0, 97.0)])
def test_camera_and_scan_see_the_same_glow(middle_um: tuple[float, float]) -> None:
    """Waves, dislocations, crosses and the chip's edge, drawn at once and asked for one by one."""
    nature = replace(CHIP, unevenness=0.2, dislocations=60, cross_pitch_um=25.0)
    chip = Chip(nature, 5)
    across_um = 0.2 * np.array([math.cos(0.3), math.sin(0.3)])
    down_um = np.array([-across_um[1], across_um[0]])
    origin_um = np.array(middle_um) - 50 * across_um - 40 * down_um
    grid = Grid((81, 101), origin_um, across_um, down_um)
    bright_um, radius_um = np.array(middle_um) + 1.0, 12.0
    drawn = glow(chip.scenery, grid, bright_um, radius_um)
    rows, columns = np.indices(grid.shape)
    places_um = grid.um(columns.astype(float), rows.astype(float)).reshape(-1, 2)
    lit = np.exp(-2.0 * np.sum((places_um - bright_um) ** 2, axis=1) / radius_um**2)
    asked = lit * chip.scenery.at(places_um, chip.scenery.pieces)
    # A line is drawn as far as 4 of its widths to the side, which takes off 3e-4 of its peak.
    assert np.abs(drawn.ravel() - asked).max() < 1e-3 * nature.mark_glow
    assert np.ptp(asked) > 0.5
