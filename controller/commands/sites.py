"""gansource sites: the catalogue of emitters, as it lies on the disk."""

import argparse
import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller import whole
from controller.commands.run import data_folder
from controller.commands.terminal import BAD_INPUT, DAMAGED, DONE, OUT_OF_REACH, complain, say

if TYPE_CHECKING:  # nothing else is imported before the command line has looked where it is
    from controller.peek import Kept
    from mapping.catalogue import Catalogue
    from mapping.choose import Rank

EXAMPLE = "example: gansource sites show --png map.png"
COLUMNS = "rank  site      state       x/um      y/um      z/um   rate/cps   g2(0)    key at 10 dB"


def add_to(commands: Any, home: Path) -> None:  # noqa: ARG001 - every command is joined alike
    """Join the command line."""
    parser = commands.add_parser(
        "sites", help="the catalogue of emitters", description=__doc__, epilog=EXAMPLE
    )
    verbs = parser.add_subparsers(title="what to do", required=True, metavar="VERB")
    for name, (act, words) in VERBS.items():
        verb = verbs.add_parser(name, help=words, description=words, epilog=EXAMPLE)
        verb.add_argument("--data", type=Path, metavar="DIR", help="the controller's state folder")
        verb.add_argument("--json", action="store_true", help="print as JSON")
        verb.set_defaults(execute=lambda options, act=act: _guarded(act, options), hands_on=False)
        if name == "show":
            verb.add_argument("site", nargs="?", help="one site with its history; else all")
            verb.add_argument("--png", type=Path, metavar="FILE", help="draw the map")
        if name == "export":
            verb.add_argument("--out", type=Path, metavar="FILE", help="else standard output")
        if name == "import":
            verb.add_argument("file", type=Path, metavar="FILE", help="what `export` wrote")


def _guarded(act: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    from controller.ledger import StoreDamaged, StoreFault
    from controller.store import StoreBusy

    try:
        return act(options)
    except StoreDamaged as err:
        return complain(err, DAMAGED)
    except (StoreFault, StoreBusy) as err:
        return complain(err, OUT_OF_REACH)


def _folder(options: argparse.Namespace) -> Path:
    """Where the embedded rig keeps its own, if there is nothing else."""
    from controller.store import DATABASE

    folder = data_folder(options.data)
    beside = folder / "rig"
    rig_only = options.data is None and not (folder / DATABASE).exists()
    return beside if rig_only and (beside / DATABASE).exists() else folder


def _kept(options: argparse.Namespace) -> "Kept":
    from controller.peek import kept

    return kept(_folder(options))


def _list(options: argparse.Namespace) -> int:
    from mapping.catalogue_json import as_json

    found = _kept(options)
    if options.json:
        say(json.dumps(as_json(found.catalogue) | {"selected": found.selected}))
        return DONE
    lines = [_line(number, rank) for number, rank in enumerate(_ranks(found.catalogue), 1)]
    say("\n".join([COLUMNS, *lines]) if lines else "no site is known yet")
    return DONE


def _show(options: argparse.Namespace) -> int:
    found = _kept(options)
    if options.site is not None and options.site not in found.catalogue.sites:
        return complain(f"{options.site}: no such site; `gansource sites list` has them", BAD_INPUT)
    if options.png is not None:
        try:
            whole.save(options.png, _picture(found))
        except OSError as err:
            return complain(f"{options.png}: {err.strerror}; give another place", BAD_INPUT)
    if options.site is None:
        return _list(options) if options.png is None else DONE
    visits = found.visits[options.site]
    if options.json:
        say(json.dumps([_visit_json(visit) for visit in visits]))
        return DONE
    say(
        "\n".join(
            f"{v.at_utc}  run {v.run}  {v.purpose}  {_figures(v.seen)} {v.words}" for v in visits
        )
    )
    return DONE


def _export(options: argparse.Namespace) -> int:
    from mapping.catalogue_json import as_json

    document = json.dumps(as_json(_kept(options).catalogue), indent=1)
    if options.out is None:
        say(document)
        return DONE
    try:
        whole.save(options.out, document.encode() + b"\n")
    except OSError as err:
        return complain(f"{options.out}: {err.strerror}; give another place", BAD_INPUT)
    return DONE


def _import(options: argparse.Namespace) -> int:
    from mapping.catalogue_json import BadCatalogue, from_json

    try:
        catalogue = from_json(json.loads(options.file.read_bytes()), 0)
    except OSError as err:
        return complain(f"{options.file}: {err.strerror}; give a file that can be read", BAD_INPUT)
    except (ValueError, RecursionError) as err:
        return complain(f"{options.file}: no JSON ({err}); give what `export` wrote", BAD_INPUT)
    except BadCatalogue as err:
        return complain(f"{options.file}: {err}", BAD_INPUT)
    asyncio.run(_adopt(_folder(options), catalogue))
    say(f"{len(catalogue.sites)} sites taken over")
    return DONE


async def _adopt(folder: Path, catalogue: "Catalogue") -> None:
    from controller.archive import Archive
    from controller.store import Store

    store = await Store.open(folder)
    try:
        archive = await Archive.open(store)
        if not archive.chip:
            await archive.begin_chip()
        await archive.adopt(replace(catalogue, number=archive.chip))
        await store.audit("sites import", f"{len(catalogue.sites)} sites")
    finally:
        await store.aclose()


def _ranks(catalogue: "Catalogue") -> "list[Rank]":
    from mapping.choose import Link, ranked

    return ranked(catalogue.sites.values(), Link())


def _picture(found: "Kept") -> bytes:
    from controller.map_marks import marks_of
    from controller.map_picture import around, drawn

    marks = marks_of(found.catalogue, found.selected, _ranks(found.catalogue))
    note = f"{len(marks)} sites; ranks by key at 10 dB; discs are three standard deviations"
    return drawn(f"Chip {found.catalogue.number}", note, marks, around(marks))


def _line(number: int, rank: "Rank") -> str:
    site, seen = rank.site, rank.site.seen
    x, y, z = site.place
    g2 = "?" if seen.g2 is None else f"{seen.g2:.3f}"
    return (
        f"{number:4d}  {site.id:8s}  {site.state.value:8s} {x:9.3f} {y:9.3f} {z:9.3f}"
        f" {seen.rate_cps:10.0f} {g2:>7s} {rank.bits_per_s.low:11.1f} bit/s"
    )


def _figures(seen: Any) -> str:
    g2 = "" if seen.g2 is None else f" g2 {seen.g2:.3f}"
    return f"{seen.rate_cps:.0f} cps at {seen.power_uw:.0f} uW{g2}"


def _visit_json(visit: Any) -> dict[str, Any]:
    seen = visit.seen._asdict() | {"kind": visit.seen.kind.value}
    told: dict[str, Any] = visit._asdict() | {"seen": seen}
    return told


VERBS: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "list": (_list, "every site, the best first"),
    "show": (_show, "a picture of the map, or one site's history"),
    "export": (_export, "the catalogue as JSON, which `gansource register` reads too"),
    "import": (_import, "take over what `export` wrote, in place of what is known of the chip"),
}
