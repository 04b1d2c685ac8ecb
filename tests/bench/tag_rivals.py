"""The same pairs by what others offer; run by `photon_tags.py` in an environment that has them."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

ROUNDS = 2
SLOW_SHARE = 20  # of the tags, for what takes minutes otherwise


def main(name: str, path: str, bin_ps: int, window_ps: int) -> None:
    tags = np.load(path)
    times, channels = tags["time_ps"], tags["channel"]
    arms = [times[channels == arm] for arm in (0, 1)]
    if name in SLOW:
        arms = [arm[: len(arm) // SLOW_SHARE] for arm in arms]
    sys.stdout.write(json.dumps(timed(RIVALS[name], arms, bin_ps, window_ps)))


def timed(
    count: Callable[..., int], arms: list[Any], bin_ps: int, window_ps: int
) -> dict[str, Any]:
    """Best of some; what needs a compiler has had it by then."""
    count([arm[:5000] for arm in arms], bin_ps, window_ps)
    best, pairs = float("inf"), 0
    for _ in range(ROUNDS):
        start = time.process_time()
        pairs = count(arms, bin_ps, window_ps)
        best = min(best, time.process_time() - start)
    tags = sum(map(len, arms))
    return {"mtags_per_s": round(tags / best / 1e6, 2), "tags": tags, "pairs": pairs}


def pytimetag(arms: list[Any], bin_ps: int, window_ps: int) -> int:
    """Its kernel for one channel, since its analyser refuses where clicks are many."""
    from pytimetag.analysers.HistogramAnalyser import analysisOneListJIT  # type: ignore[import-not-found]

    edge, bins = window_ps + bin_ps / 2, 2 * window_ps // bin_ps + 1
    return int(analysisOneListJIT(arms[0], arms[1], -edge, edge, bins, 1).sum())


def all_pairs(arms: list[Any], bin_ps: int, window_ps: int) -> int:
    """Shift by shift, in blocks: as long as any neighbour so far away is inside the window."""
    a, b = arms
    bins = 2 * (window_ps // bin_ps) + 1
    counts = np.zeros(bins, np.int64)
    low = -(window_ps // bin_ps * bin_ps + bin_ps // 2)
    first = np.searchsorted(b, a + low)
    last = np.searchsorted(b, a + low + bins * bin_ps)
    while len(a):
        there = first < last
        a, first, last = a[there], first[there], last[there]
        counts += np.bincount((b[first] - a - low) // bin_ps, minlength=bins)
        first = first + 1
    return int(counts.sum())


def pycorrelate(arms: list[Any], bin_ps: int, window_ps: int) -> int:
    from pycorrelate import pcorrelate  # type: ignore[import-not-found]

    edges = np.arange(-window_ps - bin_ps // 2, window_ps + bin_ps, bin_ps)
    return int(pcorrelate(arms[0], arms[1], edges).sum())


def tttrlib(arms: list[Any], bin_ps: int, window_ps: int) -> int:
    """Its correlator takes one side and clocks of whole bins, so it is given both ways round."""
    import tttrlib as theirs  # type: ignore[import-not-found]

    total = 0.0
    for first, second in (arms, arms[::-1]):
        correlator = theirs.Correlator(n_bins=window_ps // bin_ps, n_casc=1, method="felekyan")
        size = min(map(len, arms))
        clocks = [(arm[:size] // bin_ps).astype(np.uint64) for arm in (first, second)]
        correlator.set_macrotimes(*clocks)
        correlator.set_weights(*(np.ones(size) for _ in arms))
        total += float(np.sum(correlator.get_corr()))
    return int(total)


RIVALS = {
    "pytimetag": pytimetag,
    "tttrlib": tttrlib,
    "numpy all pairs": all_pairs,
    "pycorrelate": pycorrelate,
}
SLOW = {"pycorrelate"}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
