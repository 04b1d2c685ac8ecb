"""The camera by the methods of EMVA 1288: its own vices, found again from frames alone."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hil.camera import Camera
from hil.nature import CameraNature
from tests.laws import Law
from tests.unit.dark_room import IDEAL, OPTICS, SIGMAS, Floats, lit_evenly

PLAIN = CameraNature(width_px=192, height_px=192, dark_e_per_s=0.0, hot_share=0.0, cosmic_per_s=0.0)


def camera(**changes: object) -> Camera:
    return Camera(replace(PLAIN, **changes), OPTICS, seed=4)  # type: ignore[arg-type]


def frames(one: Camera, e_per_s: float, number: int, exposure_s: float = 1.0) -> Floats:
    light = np.full((one.nature.height_px, one.nature.width_px), e_per_s)
    return np.array([one.frame(light, n * 2.0, exposure_s) for n in range(number)], float)


@pytest.mark.parametrize("gain", [0.4, 1.7])
def test_photon_transfer_gives_back_gain_and_read_noise(law: Law, gain: float) -> None:
    """Variance of differences over mean: slope is the gain, intercept the read noise."""
    one = camera(gain_adu_per_e=gain, gain_sd=0.0, read_noise_spread=0.0, bit_depth=16)
    n = one.nature.width_px * one.nature.height_px
    levels_e = np.array([2.0, 6.0, 15.0, 40.0, 100.0, 300.0, 1000.0, 3000.0])
    pairs = [frames(one, level_e, 2) for level_e in levels_e]
    mean = np.array([pair.mean() - one.offset_adu.mean() for pair in pairs])
    variance = np.array([(pair[0] - pair[1]).var() / 2.0 for pair in pairs])
    error = variance * math.sqrt(2.0 / n)
    fit = np.polyfit(mean, variance, 1, w=1.0 / error, cov="unscaled")
    (slope, intercept), deviations = fit[0], np.sqrt(np.diag(fit[1]))
    rounding = 1.0 / 12.0
    law.within_errors(f"photon transfer, gain {gain:g}: gain, adu/e", slope, gain, deviations[0])
    assert deviations[0] < 0.005 * gain
    noise_e = math.sqrt(intercept - rounding) / gain
    sd = deviations[1] / (2.0 * noise_e * gain**2)
    expected = one.nature.read_noise_e
    law.within_errors(f"photon transfer, gain {gain:g}: read noise, e", noise_e, expected, sd)


@pytest.mark.parametrize("mean_e", [0.3, 2.0, 7.0, 9.9, 10.1, 30.0, 500.0])
def test_shot_noise_is_poisson(law: Law, mean_e: float) -> None:
    """First three moments, read with hardly any noise; their errors from the law's own moments."""
    one = camera(gain_adu_per_e=4.0, gain_sd=0.0, read_noise_e=0.01, read_noise_spread=0.0)
    one = Camera(replace(one.nature, offset_sd_adu=0.0, bit_depth=16), OPTICS, 4)
    seen = (frames(one, mean_e, 3).ravel() - one.nature.offset_adu) / 4.0
    off, n, mu = seen - mean_e, seen.size, mean_e
    assert off.mean() == pytest.approx(0.0, abs=SIGMAS * math.sqrt(mu / n))
    assert (off**2).mean() == pytest.approx(mu, abs=SIGMAS * math.sqrt((mu + 2 * mu**2) / n))
    fano, sd = seen.var() / seen.mean(), math.sqrt((2 + 1 / mu) / n)
    law.within_errors(f"variance / mean of shot noise, {mu:g} e", fano, 1.0, sd)
    sixth = mu + 25 * mu**2 + 15 * mu**3
    assert (off**3).mean() == pytest.approx(mu, abs=SIGMAS * math.sqrt((sixth - mu**2) / n))


def test_dim_and_bright_pixels_of_one_frame_are_poisson_alike() -> None:
    one = camera(gain_adu_per_e=4.0, gain_sd=0.0, read_noise_e=0.01, offset_sd_adu=0.0)
    light = np.tile((4.0, 300.0), (192, 96))
    seen = np.array([(one.frame(light, n, 1.0) - 100.0) / 4.0 for n in range(10)])
    for half, mu in ((seen[:, :, ::2], 4.0), (seen[:, :, 1::2], 300.0)):
        assert half.mean() == pytest.approx(mu, abs=SIGMAS * math.sqrt(mu / half.size))
        assert half.var() == pytest.approx(mu, rel=SIGMAS * math.sqrt((2 + 1 / mu) / half.size))


def test_maps_are_found_again_from_frames() -> None:
    one, n = camera(), 60
    dark, light = frames(one, 0.0, n), frames(one, 2000.0, n)
    noise_adu = one.read_noise_e * one.gain_adu_per_e
    off = (dark.mean(axis=0) - one.offset_adu) / noise_adu * math.sqrt(n)
    assert np.abs(off).max() < SIGMAS + 1.0
    assert off.std() == pytest.approx(1.0, abs=0.1)  # rounding adds 4 %
    found = dark.var(axis=0, ddof=1) - 1 / 12
    assert found.mean() == pytest.approx(np.mean(noise_adu**2), rel=0.02)
    assert np.corrcoef(found.ravel(), noise_adu.ravel() ** 2)[0, 1] > 0.85  # errors are 18 % each
    slope = (light.mean(axis=0) - dark.mean(axis=0)) / 2000.0
    error = np.sqrt(2000.0 / n) / 2000.0
    assert (slope / one.gain_adu_per_e - 1.0).std() == pytest.approx(error, rel=0.1)
    assert one.gain_adu_per_e.std() / 0.4 == pytest.approx(0.01, rel=0.05)


def test_read_noise_has_a_long_tail() -> None:
    """Log-normal: median as named, and more far above it than below."""
    noise = camera().read_noise_e
    assert np.median(noise) == pytest.approx(2.4, rel=0.01)
    assert np.log(noise).std() == pytest.approx(0.2, rel=0.03)
    assert noise.max() - 2.4 > 1.5 * (2.4 - noise.min())


def test_dark_current_and_hot_pixels_grow_with_the_exposure() -> None:
    one = camera(dark_e_per_s=20.0, hot_share=1e-3, hot_e_per_s=1000.0)
    short, long = (frames(one, 0.0, 8, exposure_s).mean(axis=0) for exposure_s in (0.1, 1.1))
    grown_e = (long - short) / one.gain_adu_per_e
    hot = one.dark_e_per_s > 100.0
    assert np.median(grown_e) == pytest.approx(20.0, abs=0.3)
    pixels = hot.size
    expected = 1e-3 * pixels * math.exp(-0.1)
    assert hot.sum() == pytest.approx(expected, abs=SIGMAS * math.sqrt(expected))
    assert np.allclose(grown_e[hot], one.dark_e_per_s[hot], rtol=0.15, atol=20.0)


def test_saturation_is_the_well_or_the_converter_whichever_is_less() -> None:
    well = frames(camera(gain_adu_per_e=0.2, gain_sd=0.0), 1e6, 1)[0]
    assert well.mean() == pytest.approx(100.0 + 0.2 * 10_000.0, abs=0.1)
    converter = frames(camera(gain_adu_per_e=0.8), 1e6, 1)[0]
    assert np.all(converter == 4095)


def test_cosmic_particles_hit_now_and_then() -> None:
    one, n = camera(cosmic_per_s=0.5, width_px=64, height_px=64), 3000
    struck = sum(bool((frame > 250.0).any()) for frame in frames(one, 0.0, n))
    expected = n * -math.expm1(-0.5)
    assert struck == pytest.approx(expected, abs=SIGMAS * math.sqrt(expected * math.exp(-0.5)))


def test_gain_amplifies_signal_and_noise_alike() -> None:
    one = camera(bit_depth=16)
    light = np.full((192, 192), 200.0)
    low, high = (one.frame(light, 0.0, 1.0, gain).astype(float) - one.offset_adu for gain in (1, 8))
    assert high.mean() / low.mean() == pytest.approx(8.0, rel=0.01)
    assert high.std() / low.std() == pytest.approx(8.0, rel=0.02)


def test_the_same_exposure_asked_twice_is_the_same_frame() -> None:
    one, light = camera(), np.full((192, 192), 50.0)
    first = one.frame(light, 1.0, 0.1)
    assert np.array_equal(first, one.frame(light, 1.0, 0.1))
    assert not np.array_equal(first, one.frame(light, 1.1, 0.1))


def test_a_rolling_shutter_sees_a_flash_in_some_rows_only() -> None:
    """The band that was exposed while it was light; a global shutter sees it everywhere."""
    nature = replace(PLAIN, rolling_line_s=1e-3, offset_sd_adu=0.0)
    world = lit_evenly(0.0, replace(IDEAL, camera=nature))
    world.lamp_cps.between(0.064, 0.128, 1e9)
    rows = world.frame(world.camera, 0.0, 0.032).mean(axis=1)
    bright = rows > 150.0
    assert bright[64:96].all()
    assert not bright[:64].any()
    assert not bright[128:].any()
    world = lit_evenly(0.0, replace(IDEAL, camera=PLAIN))
    world.lamp_cps.between(0.064, 0.128, 1e9)
    assert (world.frame(world.camera, 0.05, 0.032).mean(axis=1) > 150.0).all()
