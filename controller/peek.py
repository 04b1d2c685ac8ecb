"""The catalogue as it lies on the disk, read beside a controller that may be running."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from controller.ledger import MIGRATIONS, StoreFault, distrust, inspect
from controller.site_tables import READ_SITES, READ_VISITS, SITES_SINCE, site_of, visit_of
from controller.store import DATABASE
from mapping.catalogue import Catalogue, Site, Visit, catalogue_of


class Kept(NamedTuple):
    """The chip that was in last, and what is known of it."""

    catalogue: Catalogue
    selected: str
    visits: dict[str, list[Visit]]


def kept(folder: Path) -> Kept:
    """StoreDamaged when it cannot be trusted, StoreFault when there is none."""
    path = folder / DATABASE
    if not path.exists():
        raise StoreFault(f"{path}: there is none; give the controller's folder with --data")
    with distrust(path):
        inspect(path, len(MIGRATIONS))
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            return _read(database)


def _read(database: sqlite3.Connection) -> Kept:
    [[version]] = database.execute("PRAGMA user_version")
    if version < SITES_SINCE:
        return Kept(Catalogue(), "", {})
    settings: dict[str, str] = dict(database.execute("SELECT name, value FROM setting"))
    chip = int(settings.get("chip", "0"))
    rows = map(site_of, database.execute(READ_SITES))
    sites: list[Site] = [site for number, site in rows if number == chip]
    visits = {
        site.id: [visit_of(row) for row in database.execute(READ_VISITS, (chip, site.id))]
        for site in sites
    }
    return Kept(catalogue_of(chip, sites), settings.get(f"selected of chip {chip}", ""), visits)
