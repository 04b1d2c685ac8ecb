"""How far a survey is and how long it will still take, by what its tiles and visits took so far."""

from typing import NamedTuple

GUESSED_S = {"tile": 1.5, "visit": 6.0}
GUESSED_PER_TILE = 8.0  # candidates to visit, where no tile was seen yet


class Work(NamedTuple):
    """Tiles and visits of a survey; only tiles inside its area lead to visits."""

    tiles_seen: int
    tiles_left: int
    inside_seen: int
    inside_left: int
    visits_done: int
    visits_waiting: int


class Pace:
    """Means of what was done; the guess counts as one."""

    def __init__(self) -> None:
        self._took_s = dict(GUESSED_S)
        self._times = dict.fromkeys(GUESSED_S, 1)
        self._furthest = 0.0

    def took(self, what: str, for_s: float) -> None:
        """One more tile or visit."""
        self._took_s[what] += for_s
        self._times[what] += 1

    def progress(self, work: Work) -> tuple[float, float]:
        """The share that is done, which never falls, and the seconds left."""
        tile_s, visit_s = (self._took_s[what] / self._times[what] for what in ("tile", "visit"))
        known = work.visits_done + work.visits_waiting
        per_tile = known / work.inside_seen if work.inside_seen else GUESSED_PER_TILE
        left_s = tile_s * work.tiles_left
        left_s += visit_s * (work.visits_waiting + per_tile * work.inside_left)
        done_s = tile_s * work.tiles_seen + visit_s * work.visits_done
        share = done_s / (done_s + left_s) if left_s else 1.0
        self._furthest = max(self._furthest, share)
        return self._furthest, left_s
