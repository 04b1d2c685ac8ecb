"""Mean photon number per trigger from counts and calibration."""

import pytest

from optics.photon_number import Calibrated, Impossible, LightPath, mean_photons

PATH = LightPath(
    triggers_hz=1e6,
    efficiency=(Calibrated(0.5), Calibrated(0.25)),
    tap=Calibrated(0.2),
    onward=Calibrated(0.9),
)


def test_the_value_is_the_light_that_left() -> None:
    """0.01 photons per trigger before the splitter: a fifth is tapped, halves are seen."""
    tapped = 0.01 * 0.2 * 1e6 * 100
    clicks = round(tapped / 2 * 0.5), round(tapped / 2 * 0.25)
    found = mean_photons(clicks, 100.0, PATH)
    assert found.value == pytest.approx(0.01 * 0.8 * 0.9, rel=1e-9)
    assert found.low < found.value < found.high
    sums = (1.96 * 50_000**0.5 + 1.96 * 25_000**0.5) / 75_000
    assert found.high / found.value - 1 == pytest.approx(sums, rel=0.02)


def test_calibration_widens_the_bounds() -> None:
    path = PATH._replace(tap=Calibrated(0.2, 0.004), onward=Calibrated(0.9, 0.009))
    found = mean_photons((10**9, 10**9), 1e5, path)
    spread = 2 * (0.025**2 + 0.01**2) ** 0.5  # (1 - t) / t changes by 0.02 / 0.8
    assert found.high / found.value - 1 == pytest.approx(spread, rel=0.01)
    assert 1 - found.low / found.value == pytest.approx(spread, rel=0.01)


def test_dead_time_dark_clicks_and_afterpulses_are_no_light() -> None:
    lit = 20e3
    path = PATH._replace(dead_s=50e-9, dark_cps=(100.0, 300.0), afterpulsing=0.02)
    clicks = []
    for dark_cps in path.dark_cps:
        real_cps = (lit + dark_cps) * 1.02
        clicks.append(round(real_cps / (1 + real_cps * 50e-9) * 1000))
    found = mean_photons((clicks[0], clicks[1]), 1000.0, path)
    plain = mean_photons((20_000_000, 20_000_000), 1000.0, PATH)
    assert found.value == pytest.approx(plain.value, rel=1e-6)


def test_no_clicks_leave_an_upper_bound() -> None:
    found = mean_photons((0, 0), 10.0, PATH)
    assert (found.low, found.value) == (0.0, 0.0)
    assert found.high > 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(Impossible, match="detector 0"):
        mean_photons((10**8, 0), 1.0, PATH._replace(dead_s=50e-9))
    with pytest.raises(Impossible, match="calibration"):
        mean_photons((1, 1), 1.0, PATH._replace(tap=Calibrated(1.0)))
