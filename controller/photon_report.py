"""Photon statistics as JSON, in a few lines for a reader, and as a picture."""

import math
from dataclasses import dataclass
from typing import Any

from optics.decay_search import Goodness
from optics.delay_search import Evidence
from optics.g2_fit import DipFit
from optics.photon_count import PhotonCount
from optics.photon_statistics import PhotonStatistics
from optics.pulsed_peaks import PeakFit
from optics.rate_trace import blinking, mandel_q

Json = dict[str, Any]
PICO = 1e-12
MOST_POINTS = 1500
NORMALISED_TO = (
    "uncorrelated pairs of the whole measurement, N_A N_B bin / T; not blinking-corrected"
)


@dataclass(frozen=True)
class Outcome:
    """All that is known once a recording was read."""

    count: PhotonCount
    statistics: PhotonStatistics
    delay: Evidence | None  # None where it was given
    warnings: list[str]


def as_json(outcome: Outcome) -> Json:
    """The output file."""
    count, measured = outcome.count, outcome.statistics.measured
    setting, value, raw = count.setting, outcome.statistics.g2_zero, measured.raw
    norm = count.norm.tolist()
    counts = count.shown.tolist()
    lifetime = measured.lifetime
    duration_s = count.duration_ps * PICO
    return {
        "tau_ps": setting.shown.tau_ps.tolist(),
        "counts": counts,
        "g2": [n / one if one > 0 else None for n, one in zip(counts, norm, strict=True)],
        "norm": norm,
        "delay_ps": setting.delay_ps,
        "g2_zero": value.value,
        "g2_zero_err": value.error,
        "g2_zero_upper95": value.upper_95,
        "g2_zero_raw": raw.value,
        "g2_zero_raw_err": raw.error,
        "g2_zero_raw_upper95": raw.upper_95,
        "g2_zero_neighbours": measured.neighbours,
        "lifetime_ps": lifetime.value_ps if lifetime else None,
        "lifetime_err_ps": lifetime.error_ps if lifetime else None,
        "rates_cps": [clicks / duration_s for clicks in count.clicks],
        "duration_s": duration_s,
        "mode": "pulsed" if setting.period_ps else "cw",
        "channels": list(setting.channels),
        "bin_ps": setting.shown.bin_ps,
        "period_ps": setting.period_ps,
        "normalised_to": NORMALISED_TO,
        "delay_evidence": _evidence(outcome.delay),
        "corrections": [
            {"name": part.name, "size": part.size, "applied": part.applied, **part.detail}
            for part in outcome.statistics.corrections
        ],
        "fit": _dip(measured.fit) if isinstance(measured.fit, DipFit) else _peaks(outcome),
        **_steadiness(count),
        "warnings": outcome.warnings,
    }


def _steadiness(count: PhotonCount) -> Json:
    """How the brightness of both arms together comes and goes."""
    counts, slice_s = count.trace.counts.sum(0), count.trace.slice_s
    return {
        "mandel_q": [{"slice_s": s, "q": q} for s, q in mandel_q(counts, slice_s).items()],
        "blinking": _named(blinking(counts, slice_s)),
    }


def in_words(outcome: Outcome) -> str:
    """The same for whoever looks on."""
    count, statistics = outcome.count, outcome.statistics
    value, raw, lifetime = statistics.g2_zero, statistics.measured.raw, statistics.measured.lifetime
    rates = " and ".join(f"{n / (count.duration_ps * PICO):.4g}" for n in count.clicks)
    lines = [
        f"g2(0)        {value.value:.4f} +- {value.error:.4f}, below {value.upper_95:.4f} (95 %)",
        f"uncorrected  {raw.value:.4f} +- {raw.error:.4f}, below {raw.upper_95:.4f} (95 %)",
        *(
            f"  {part.name:<12} {part.size:+.4f}{'' if part.applied else ' (left in)'}"
            for part in statistics.corrections
        ),
        f"delay        {count.setting.delay_ps} ps{_found_how(outcome.delay)}",
        f"clicks       {rates} per second, for {count.duration_ps * PICO:.6g} s",
    ]
    if lifetime:
        lines.append(f"lifetime     {lifetime.value_ps:.1f} +- {lifetime.error_ps:.1f} ps")
    return "\n".join(lines)


def picture(outcome: Outcome) -> bytes:
    """g2 over delay as PNG."""
    from controller.plot import BLUE, Axis, Curve, Mark, draw

    count, statistics = outcome.count, outcome.statistics
    level = count.norm
    there = level > 0
    tau_ns, g2 = count.setting.shown.tau_ps[there] / 1000, count.shown[there] / level[there]
    join = -(-len(tau_ns) // MOST_POINTS)
    whole = len(tau_ns) // join * join
    across, up = (part[:whole].reshape(-1, join).mean(1).tolist() for part in (tau_ns, g2))
    value, raw = statistics.g2_zero, statistics.measured.raw
    return draw(
        f"g2(0) {value.value:.4f} +- {value.error:.4f}, below {value.upper_95:.4f} (95 %)",
        f"as measured {raw.value:.4f} +- {raw.error:.4f}, below {raw.upper_95:.4f};"
        f" delay {count.setting.delay_ps} ps, {count.duration_ps * PICO:.4g} s",
        Axis("delay (ns)", across[0], across[-1]),
        Axis("pairs over uncorrelated pairs", 0.0, 1.25 * max(1.0, *up)),
        [Curve("as counted", BLUE, across, up, up)],
        Mark("g2(0) as measured", 0.0, max(raw.value, 0.0)),
    )


def _found_how(delay: Evidence | None) -> str:
    if delay is None:
        return ", as given"
    return f", found ({delay.sigmas:.1f} sigma)" if delay.found else ", no evidence for another"


def _evidence(delay: Evidence | None) -> Json | None:
    return None if delay is None else {"found": delay.found, "sigmas": delay.sigmas}


def _named(record: Any) -> Json | None:
    return None if record is None else dict(record._asdict())


def _goodness(found: Goodness | None) -> Json | None:
    return _named(found)


def _dip(fit: DipFit) -> Json:
    return {
        "model": "three-level" if fit.hump else "two-level",
        "level": fit.level,
        "depth": fit.depth.value,
        "depth_err": fit.depth.error,
        "dip_ps": math.exp(fit.log_decay.value),
        "bunching": fit.hump.height if fit.hump else 0.0,
        "bunching_ps": fit.hump.decay_ps if fit.hump else None,
        "centre_ps": fit.centre_ps,
        "two_level": _goodness(fit.two_level),
        "three_level": _goodness(fit.three_level),
    }


def _peaks(outcome: Outcome) -> Json:
    measured = outcome.statistics.measured
    assert isinstance(measured.fit, PeakFit)
    return {
        "model": "overlapping peaks",
        "neighbours": measured.fit.neighbours,
        "peak_decay_ps": math.exp(measured.fit.log_decay.value),
        "goodness": _goodness(measured.fit.goodness),
        "decay": _goodness(measured.decay.goodness) if measured.decay else None,
    }
