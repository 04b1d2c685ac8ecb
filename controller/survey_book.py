"""The survey that goes on, kept as it goes: tiles seen, candidates found, visits made."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from controller.archive import Archive
from controller.ledger import together
from controller.site_tables import (
    READ_CANDIDATES,
    READ_TILES,
    Candidate,
    Tile,
    begin_survey,
    candidate_of,
    end_survey,
    put_candidate,
    put_tile,
    tile_of,
)
from controller.store import Store
from mapping.catalogue import Site, aside_um
from mapping.scan import serpentine
from optics.quantities import ChipPoint, StageBox, StagePoint

SAME_UM = 0.4
"""Two spots of different tiles so close together are one candidate."""


EVERYWHERE = [[-math.inf, -math.inf, 0.0], [math.inf, math.inf, 0.0]]
Corners = tuple[ChipPoint, ChipPoint]


class Plan(NamedTuple):
    """All on the chip, so that it means the same however the chip lies after a cut."""

    tiles: list[ChipPoint]  # middles, z 0
    area: Corners  # what was asked for; what shines beside it is only noted

    def text(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def read(cls, text: str) -> "Plan":
        """One of an older version asked for all that it saw."""
        told = json.loads(text)
        low, high = (ChipPoint(*corner) for corner in told.get("area", EVERYWHERE))
        return cls([ChipPoint(*middle) for middle in told["tiles"]], (low, high))


def planned(seen: Corners, area: Corners, field_um: tuple[float, float], overlap: float) -> Plan:
    """Tiles that cover the rectangle to be seen."""
    box = StageBox(*(StagePoint(corner.x_um, corner.y_um, 0.0) for corner in seen))
    return Plan([ChipPoint(*middle) for middle in serpentine(box, field_um, overlap)], area)


@dataclass
class SurveyBook:
    """One survey; every method that changes it returns once that is on the disk."""

    store: Store
    archive: Archive
    number: int
    plan: Plan
    seen: dict[int, Tile] = field(default_factory=dict)
    candidates: dict[int, Candidate] = field(default_factory=dict)

    @classmethod
    async def begin(
        cls,
        store: Store,
        archive: Archive,
        plan: Plan,
    ) -> "SurveyBook":
        """A new one; an earlier one that was cut ends."""
        made: list[int] = []
        await archive.end_open_survey("begun anew")
        begun = begin_survey(archive.chip, store.stamp(), store.run_id, plan.text())
        await store.write(begun, made.append)
        return cls(store, archive, made[0], plan)

    @classmethod
    async def resume(cls, store: Store, archive: Archive) -> "SurveyBook | None":
        """The one that was cut, as far as it came."""
        opened = await archive.open_survey()
        if opened is None:
            return None
        number, text = opened
        seen = [tile_of(row) for row in await store.read(READ_TILES, number)]
        found = [candidate_of(row) for row in await store.read(READ_CANDIDATES, number)]
        return cls(
            store,
            archive,
            number,
            Plan.read(text),
            {tile.number: tile for tile in seen},
            {candidate.number: candidate for candidate in found},
        )

    @property
    def tiles(self) -> list[ChipPoint]:
        return self.plan.tiles

    @property
    def area(self) -> Corners:
        return self.plan.area

    def asked_for(self, place: ChipPoint) -> bool:
        """Within the area."""
        low, high = self.area
        return low.x_um <= place.x_um <= high.x_um and low.y_um <= place.y_um <= high.y_um

    @property
    def unseen(self) -> list[tuple[int, ChipPoint]]:
        """Tiles that are still to be looked at, in their order."""
        return [(n, middle) for n, middle in enumerate(self.tiles) if n not in self.seen]

    @property
    def waiting(self) -> list[Candidate]:
        """Candidates that were not visited yet."""
        return [one for one in self.candidates.values() if one.outcome is None]

    def is_new(self, place: ChipPoint, beside: Iterable[Candidate]) -> bool:
        """Neither known nor among those `beside`."""
        known = chain(self.candidates.values(), beside)
        return all(aside_um(place, one.place) > SAME_UM for one in known)

    async def tile_seen(self, tile: Tile, found: list[Candidate]) -> None:
        """All of it at once: a tile that was seen is never looked at again."""
        writes = [put_tile(self.number, tile)]
        writes += [put_candidate(self.number, candidate) for candidate in found]
        await self.store.write(together(*writes))
        self.seen[tile.number] = tile
        self.candidates |= {candidate.number: candidate for candidate in found}

    async def visited(
        self, candidate: Candidate, outcome: str, site: Site | None, words: str = ""
    ) -> None:
        """What became of a candidate, and the site it is, in one stroke."""
        known = candidate._replace(outcome=outcome)
        write = put_candidate(self.number, known)
        if site is None:
            await self.store.write(write)
        else:
            await self.archive.record(site, "survey", words, write)
        self.candidates[candidate.number] = known

    async def end(self, how: str) -> None:
        await self.store.write(end_survey(self.number, self.store.stamp(), how))
