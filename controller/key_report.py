"""The worth of a source in key, told as JSON, in words, and as a picture of rate over loss."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from optics.key_rate import (
    EPS_CORRECT,
    EPS_SECRET,
    Corner,
    Interval,
    Setup,
    Worth,
    corners,
    finite_key_bits,
    gllp_rate,
    individual_rate,
)

if TYPE_CHECKING:  # numpy and OpenCV cost time to import, and only a picture needs them
    from controller.plot import Curve

Rate: TypeAlias = Callable[[Corner], float]

CURVE_POINTS = 240
DECADES = 6


def as_json(found: Worth, pulses: float | None, in_intervals: bool) -> dict[str, Any]:
    """As the contract has it; a loss that nothing limits is null."""

    def plain(value: Any) -> Any:
        if not isinstance(value, Interval):
            return value
        ends = [end if math.isfinite(end) else None for end in value]
        return ends if in_intervals else ends[0]

    answer = {name: plain(value) for name, value in found._asdict().items()}
    if found.finite is None:
        del answer["finite"]
    else:
        block = {"pulses": pulses, "eps_secret": EPS_SECRET, "eps_correct": EPS_CORRECT}
        results = {name: plain(value) for name, value in found.finite._asdict().items()}
        answer["finite"] = results | block
    if not found.why:
        del answer["why"]
    return answer


def in_words(setup: Setup, found: Worth, pulses: float | None) -> list[str]:
    """The setup, what it is worth, and the rate over loss."""
    percent = Interval(*(100 * end for end in found.qber))
    rows = [
        ("key rate, any attack (GLLP)", found.rate_per_pulse, ".4e", "bit per trigger"),
        ("  attacks on single pulses (Waks)", found.rate_per_pulse_individual, ".4e", ""),
        ("clicks, p_click", found.p_click, ".4e", "per trigger"),
        ("multi-photon bound at the source, p_m", found.p_m, ".4e", "per trigger"),
        ("certainly single photons, beta", found.beta, ".4f", "of the clicks"),
        ("error rate, qber", percent, ".3f", "%"),
        ("largest loss with key", found.max_loss_db, ".2f", "dB"),
        ("  were there no darks and errors", found.loss_ceiling_db, ".2f", "dB"),
    ]
    if found.finite is not None:
        rows += [
            (f"key of {pulses:.4g} triggers", found.finite.key_bits, "d", "bit"),
            ("  rate", found.finite.rate_per_pulse, ".4e", "bit per trigger"),
            ("  largest loss with key", found.finite.max_loss_db, ".2f", "dB"),
        ]
    table = [f"{name:<38} {_ends(value, form)} {unit}".rstrip() for name, value, form, unit in rows]
    why = [f"no key for {found.why}"] if found.why else []
    return [_figures(setup), "", *table, *why, "", *_over_loss(setup, found, pulses)]


def picture(setup: Setup, found: Worth, pulses: float | None) -> bytes:
    """Rate over loss as PNG; the low end of an interval is drawn firmly."""
    from controller.plot import Axis, Mark, draw

    end_db = _loss_end_db(setup, found)
    curves = _curves(setup, _losses_db(found, end_db), pulses)
    best = max(rate for curve in curves for rate in curve.high) or 1.0
    top = 10.0 ** math.ceil(math.log10(best))
    x = Axis("channel loss (dB)", 0.0, end_db)
    y = Axis("secure key rate (bit per trigger)", top * 10.0**-DECADES, top, log=True)
    rate = found.rate_per_pulse.low
    yields = f"{rate:.3g} bit per trigger" if rate > 0 else "no key"
    mark = Mark(f"GLLP at {setup.loss_db.high:g} dB: {yields}", setup.loss_db.high, rate)
    return draw("BB84 key rate over channel loss", _figures(setup), x, y, curves, mark)


def _ends(value: Interval, form: str) -> str:
    low, high = (format(end, form) if math.isfinite(end) else "no limit" for end in value)
    return low if low == high else f"{low} to {high}"


def _figures(setup: Setup) -> str:
    """What goes in, on one line."""
    units = {"loss_db": ("loss", " dB")}
    told = ((units.get(name, (name, "")), value) for name, value in setup._asdict().items())
    return ", ".join(f"{name} {_ends(value, 'g')}{unit}" for (name, unit), value in told)


def _rates(pulses: float | None) -> dict[str, Rate]:
    """Each rate by the name it has in tables and pictures."""
    rates: dict[str, Rate] = {"any attack (GLLP)": gllp_rate}
    rates["single pulses (Waks)"] = individual_rate
    if pulses is not None:
        rates[f"{pulses:.4g} triggers"] = partial(_finite_rate, pulses=pulses)
    return rates


def _finite_rate(at: Corner, pulses: float) -> float:
    return finite_key_bits(at, pulses)[0] / pulses


def _at_loss(setup: Setup, loss_db: float) -> tuple[Corner, Corner]:
    return corners(setup._replace(loss_db=Interval(loss_db, loss_db)))


def _loss_end_db(setup: Setup, found: Worth) -> float:
    """Where rate over loss may end: all of the key and the present loss are in it."""
    limit = found.max_loss_db.high if math.isfinite(found.max_loss_db.high) else 60.0
    return max(20.0, 1.1 * limit, 1.1 * setup.loss_db.high)


def _over_loss(setup: Setup, found: Worth, pulses: float | None) -> Iterator[str]:
    """What is sure at some round losses."""
    rates = _rates(pulses)
    end_db = _loss_end_db(setup, found)
    step = next((step for step in (2, 5, 10, 20) if end_db / step < 10), 50)
    widths = [max(10, len(name)) for name in rates]
    sure = "at least, in" if any(low < high for low, high in setup) else "in"
    yield f"key over loss, {sure} bit per trigger"
    yield "   ".join(["loss in dB", *rates])
    for loss_db in range(0, int(end_db) + 1, step):
        bad, _ = _at_loss(setup, loss_db)
        told = (f"{r(bad):.4e}" if r(bad) > 0 else "0" for r in rates.values())
        cells = (f"{cell:>{width}}" for cell, width in zip(told, widths, strict=True))
        yield "   ".join([f"{loss_db:>10}", *cells])


def _losses_db(found: Worth, end_db: float) -> list[float]:
    """Where to draw: evenly, and ever closer where a rate plunges to nothing."""
    losses_db = {end_db * point / CURVE_POINTS for point in range(CURVE_POINTS + 1)}
    for limits in filter(None, (found.max_loss_db, found.finite and found.finite.max_loss_db)):
        losses_db |= {limit - 10 ** (-step / 8) for limit in limits for step in range(40)}
    return sorted(loss_db for loss_db in losses_db if 0 <= loss_db <= end_db)


def _curves(setup: Setup, losses_db: list[float], pulses: float | None) -> "list[Curve]":
    from controller.plot import BLUE, GREEN, ORANGE, Curve

    bads, goods = zip(*(_at_loss(setup, loss_db) for loss_db in losses_db), strict=True)
    return [
        Curve(name, colour, losses_db, [*map(rate, bads)], [*map(rate, goods)])
        for (name, rate), colour in zip(_rates(pulses).items(), (BLUE, ORANGE, GREEN), strict=False)
    ]
