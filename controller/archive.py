"""The chips' catalogues for the event loop: read from memory, known once they are on the disk."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from controller.ledger import Write, together
from controller.site_tables import (
    READ_LANDMARKS,
    READ_OPEN_SURVEY,
    READ_POSES,
    READ_SITES,
    READ_VISITS,
    add_pose,
    add_visit,
    begin_chip,
    drop_sites,
    end_survey,
    placement_of,
    put_site,
    site_of,
    visit_of,
)
from controller.store import Store
from mapping.catalogue import Catalogue, Seen, Site, SiteState, Visit, catalogue_of
from mapping.placement import Placement
from optics.quantities import ChipPoint


class Archive:
    """Of the chips ever seen, each with its own sites; one of them is in the holder."""

    def __init__(self, store: Store, chips: dict[int, Catalogue]) -> None:
        self._store, self.chips = store, chips
        self.changed: Callable[[], None] = lambda: None

    @classmethod
    async def open(cls, store: Store) -> "Archive":
        """With everything that is on the disk."""
        numbers = [number for [number] in await store.read("SELECT id FROM chip ORDER BY id")]
        sites: dict[int, list[Site]] = {number: [] for number in numbers}
        for row in await store.read(READ_SITES):
            chip, site = site_of(row)
            sites[chip].append(site)
        return cls(store, {number: catalogue_of(number, sites[number]) for number in numbers})

    @property
    def chip(self) -> int:
        """The number of the chip that is believed to be in; 0 before there ever was one."""
        return int(self._store.setting("chip", "0"))

    @property
    def catalogue(self) -> Catalogue:
        return self.chips.get(self.chip, Catalogue())

    @property
    def selected(self) -> str:
        """The name of the site to emit from, or empty."""
        return self.selected_of(self.chip)

    def selected_of(self, chip: int) -> str:
        """The same of another chip, for when it is in again."""
        return self._store.setting(_selected(chip), "")

    @property
    def epoch(self) -> int:
        return int(self._store.setting("epoch", "0"))

    async def begin_chip(self) -> None:
        """A chip never seen before is in."""
        made: list[int] = []
        await self._write(begin_chip(self._store.stamp()), made.append)
        self.chips[made[0]] = Catalogue(made[0])
        await self.use_chip(made[0])

    async def use_chip(self, number: int) -> None:
        """That chip, known from earlier, is in."""
        await self._store.set_settings({"chip": str(number)})
        self.changed()

    async def record(self, site: Site, purpose: str, words: str = "", *more: Write) -> None:
        """A visit, and the site as it now stands, a new one if need be; `more` with them or not."""
        chip, at_utc, run = self.chip, self._store.stamp(), self._store.run_id
        visit = Visit(site.id, at_utc, run, purpose, site.seen, words)
        await self._write(
            together(put_site(chip, site), add_visit(chip, visit), *more),
            lambda _: self._know(chip, [site]),
        )

    async def note(self, site: Site, seen: Seen, purpose: str, words: str) -> None:
        """A visit that leaves the site's record as it is."""
        at_utc, run = self._store.stamp(), self._store.run_id
        visit = Visit(site.id, at_utc, run, purpose, seen, words)
        await self._write(add_visit(self.chip, visit), lambda _: None)

    async def set_state(self, name: str, state: SiteState, why: str) -> None:
        """KeyError for a name that is not known."""
        chip, site = self.chip, replace(self.catalogue.sites[name], state=state, why=why)
        await self._write(put_site(chip, site), lambda _: self._know(chip, [site]))

    async def select(self, name: str, why: str) -> None:
        """Emit from that site from now on; the epoch grows in the same stroke."""
        chip, sites = self.chip, self.catalogue.sites
        chosen = replace(sites[name], state=SiteState.ACTIVE, why=why)
        before = [
            replace(site, state=SiteState.RESERVE, why=f"{name} is active instead")
            for site in self.catalogue.of_state(SiteState.ACTIVE)
            if site.id != name
        ]
        settings = {_selected(chip): name, "epoch": str(self.epoch + 1)}
        await self._store.set_settings(settings, *(put_site(chip, s) for s in (chosen, *before)))
        self._know(chip, [chosen, *before])

    async def grow_epoch(self, settings: Mapping[str, str]) -> None:
        """Because of these, which are kept in the same stroke."""
        await self._store.set_settings({**settings, "epoch": str(self.epoch + 1)})
        self.changed()

    async def adopt(self, catalogue: Catalogue) -> None:
        """In place of all sites of the chip that is in."""
        chip = self.chip
        writes = [put_site(chip, site) for site in catalogue.sites.values()]
        whole = replace(catalogue, number=chip)
        await self._write(
            together(drop_sites(chip), *writes), lambda _: self.chips.update({chip: whole})
        )

    async def lay(self, lying: Placement) -> None:
        """Keep where the chip was found to lie."""
        await self._write(
            add_pose(self.chip, self._store.stamp(), self._store.run_id, lying), lambda _: None
        )

    async def placements(self, latest: int = 1, chip: int | None = None) -> list[Placement]:
        """Of that chip, or of the one that is in, the newest first."""
        number = self.chip if chip is None else chip
        return [placement_of(row) for row in await self._store.read(READ_POSES, number, latest)]

    async def landmarks(self, chip: int) -> list[tuple[ChipPoint, float]]:
        """Whatever was ever seen to shine on that chip, with its uncertainty; sites apart."""
        rows = await self._store.read(READ_LANDMARKS, chip)
        return [(ChipPoint(x, y, z), sigma) for x, y, z, sigma in rows]

    async def open_survey(self) -> tuple[int, str] | None:
        """Number and plan of the one of this chip that was not ended."""
        rows = await self._store.read(READ_OPEN_SURVEY, self.chip)
        return (rows[0][0], rows[0][1]) if rows else None

    async def end_open_survey(self, how: str) -> None:
        opened = await self.open_survey()
        if opened is not None:
            await self._store.write(end_survey(opened[0], self._store.stamp(), how))

    async def visits(self, name: str) -> list[Visit]:
        """Every look at that site of the chip that is in, oldest first."""
        return [visit_of(row) for row in await self._store.read(READ_VISITS, self.chip, name)]

    async def _write(self, write: Write, then: Callable[[Any], None]) -> None:
        await self._store.write(write, then)
        self.changed()

    def _know(self, chip: int, sites: Iterable[Site]) -> None:
        for site in sites:
            self.chips[chip] = self.chips[chip].with_site(site)
        self.changed()


def _selected(chip: int) -> str:
    return f"selected of chip {chip}"
