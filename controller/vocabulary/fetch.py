"""FETCh and MEASure: what the photons are like, each figure with its uncertainty and age."""

import asyncio
from math import isnan, nan

from controller.figures import Pointing, Purity
from controller.scpi_common import Arguments, Command, Table, age_s, aged, scaled
from controller.scpi_parameters import Number, answer
from controller.scpi_session import Answer, Session
from controller.snapshot import Snapshot
from optics.key_rate import MEANINGS, Interval, Setup, corners, gllp_rate

UM_PER_M = 1e6
SIGMAS_OF_95 = 1.645  # one-sided, of a normal distribution
LOSS = Number("DB", MEANINGS["loss_db"].low, MEANINGS["loss_db"].high)
PATIENCE = Number("S", 0.1, 86_400.0)
GIVEN = {
    name: Interval(meaning.default, meaning.default)
    for name, meaning in MEANINGS.items()
    if meaning.default is not None
}
"""A receiver as `gansource keyrate` takes it when nothing else is said."""


def key_rate_bps(now: Snapshot, loss_db: float) -> Interval:
    """Secret bits per second against any attack; the low end has every figure at its worst."""
    photons, purity, trigger_hz = now.photons, now.purity, now.trigger_hz
    if photons is None or purity is None or trigger_hz is None:
        return Interval(nan, nan)
    g2_low = max(0.0, purity.g2_zero - SIGMAS_OF_95 * purity.sigma)
    figures = {
        "mu": Interval(photons.low, photons.high),
        "g2": Interval(g2_low, max(g2_low, purity.upper95)),
        "loss_db": Interval(loss_db, loss_db),
    }
    if any(map(isnan, (*figures["mu"], *figures["g2"]))):
        return Interval(nan, nan)
    limited = {name: _within(name, figure) for name, figure in figures.items()}
    worst, best = corners(Setup(**GIVEN, **limited))
    return Interval(trigger_hz * gllp_rate(worst), trigger_hz * gllp_rate(best))


def _within(name: str, figure: Interval) -> Interval:
    """The part of it that can be."""
    low, high = MEANINGS[name].low, MEANINGS[name].high
    return Interval(*(min(max(end, low), high) for end in figure))


def _key_rate(session: Session, arguments: Arguments) -> Answer:
    return answer(*key_rate_bps(session.now, LOSS.read(arguments[0])))


def _pointing(session: Session, _: Arguments) -> Answer:
    told: Pointing | None = session.now.pointing
    if told is None:
        return aged(None, 8)
    lengths = scaled((*told.error_um, *told.aged_um(age_s(told.at_s))), UM_PER_M)
    return aged((*lengths, told.share_of_peak, told.at_s), 8)


def _measure_purity(session: Session, arguments: Arguments) -> Answer:
    for_s = PATIENCE.read(arguments[0]) if arguments else None

    async def measure() -> bytes:
        found: Purity = await session.wishes.measure_purity(for_s)
        return aged(found, 4)

    return asyncio.ensure_future(measure())


TABLE: Table = {
    "FETCh:BRIGhtness?": Command(
        lambda session, _: aged(session.now.brightness_cps, 3), "clicks per second, sigma, age in s"
    ),
    "FETCh:PURity?": Command(
        lambda session, _: aged(session.now.purity, 4), "g2(0), sigma, upper 95 % bound, age in s"
    ),
    "FETCh:PHOTons?": Command(
        lambda session, _: aged(session.now.photons, 4),
        "mean photon number per trigger at the output: low, value, high, age in s",
    ),
    "FETCh:POINting?": Command(
        _pointing, "error x, y, z in m, their sigmas, share of peak brightness, age in s"
    ),
    "FETCh:KEYRate?": Command(_key_rate, "bits per second over a loss in dB: lower, upper", (1, 1)),
    "MEASure:PURity?": Command(
        _measure_purity,
        "as FETCh, from photons counted from now on, for so many s (o)",
        (0, 1),
    ),
}
