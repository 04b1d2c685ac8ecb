"""Ranks sites by what a QKD host would gain: key per second, steadiness and purity included."""

from collections.abc import Iterable
from typing import NamedTuple

from mapping.catalogue import Kind, Seen, Site
from optics.key_rate import MEANINGS, Interval, Setup, worth

SURE_SD = 2.0
UNKNOWN_G2 = Interval(0.0, 1.0)


class Link(NamedTuple):
    """The channel that the choice is made for, and how light is counted here."""

    loss_db: float = 10.0
    trigger_hz: float = 40e6
    counted: float = 0.65  # of the photons that leave the output, were it turned to our detectors


class Rank(NamedTuple):
    """One site's worth."""

    site: Site
    bits_per_s: Interval
    reach_db: Interval  # the loss at which the key ends
    why: str  # there is none, at the low end


def ranked(sites: Iterable[Site], link: Link) -> list[Rank]:
    """The best first; what was shown to be no single emitter is left out."""
    ranks = [_rank(site, link) for site in sites if site.seen.kind is not Kind.SEVERAL]
    return sorted(ranks, key=_order)


def _order(rank: Rank) -> tuple[bool, float, float, float, str]:
    """Proven before promising, then by the key that is sure; names decide between equals."""
    seen = rank.site.seen
    unproven = seen.kind is not Kind.SINGLE
    return unproven, -rank.bits_per_s.low, -rank.reach_db.low, -seen.rate_cps, rank.site.id


def _rank(site: Site, link: Link) -> Rank:
    found = worth(_setup(site.seen, link))
    bits_per_s = Interval(*(end * link.trigger_hz for end in found.rate_per_pulse))
    return Rank(site, bits_per_s, found.max_loss_db, found.why)


def _setup(seen: Seen, link: Link) -> Setup:
    """Two standard deviations either way, and what the emitter flickers."""
    per_trigger = 1 / (link.counted * link.trigger_hz)
    doubt_cps = SURE_SD * (seen.rate_sigma_cps + (seen.flicker or 0.0) * seen.rate_cps)
    mu = Interval(*((seen.rate_cps + end * doubt_cps) * per_trigger for end in (-1, 1)))
    receiver = {name: _default(name) for name in ("eta", "pd", "e0", "f", "q")}
    loss_db = Interval(link.loss_db, link.loss_db)
    return Setup(_within("mu", mu), _within("g2", _g2(seen)), loss_db, **receiver)


def _g2(seen: Seen) -> Interval:
    if seen.g2 is None or seen.g2_upper95 is None:
        return UNKNOWN_G2
    return Interval(seen.g2 - SURE_SD * (seen.g2_sigma or 0.0), max(seen.g2, seen.g2_upper95))


def _within(name: str, interval: Interval) -> Interval:
    meaning = MEANINGS[name]
    return Interval(*(min(max(end, meaning.low), meaning.high) for end in interval))


def _default(name: str) -> Interval:
    value = MEANINGS[name].default
    if value is None:
        raise TypeError(f"{name} has no default")
    return Interval(value, value)
