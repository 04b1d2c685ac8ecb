"""What `gansource doctor` finds about the computer: storage, clock, cores, serial lines."""

import ctypes
import fcntl
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from controller.commands.terminal import DAMAGED, DONE, OUT_OF_REACH
from controller.config import MachineConfig
from controller.ledger import MIGRATIONS, StoreDamaged, StoreFault, distrust, inspect
from controller.store import DATABASE, LOCK

LEAST_FREE_BYTES = 200 << 20
FIRST_YEAR = 2026  # nobody had this program before
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 512  # room for struct timex of any architecture, 208 on x86-64 and aarch64


class Finding(NamedTuple):
    """One line: what was looked at, how it is, what to do. A note is advice without trouble."""

    what: str
    words: str
    remedy: str = ""
    status: int = DONE

    @property
    def verdict(self) -> str:
        if self.status != DONE:
            return "trouble"
        return "note" if self.remedy else "ok"


def holder_of(folder: Path) -> str:
    """Process id of the controller that works on the folder, or nothing."""
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (folder / LOCK).read_text().strip() or "?"
    except OSError:
        return ""
    return ""


def storage(folder: Path) -> list[Finding]:
    """Looked at and left as it is; a folder that is not there yet is judged by what holds it."""
    standing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(standing).free
    found = []
    if not (standing.is_dir() and os.access(standing, os.W_OK | os.X_OK)):
        remedy = f"let this user write there (chown, chmod {standing}), or give another --data"
        found.append(Finding("folder", f"{folder}: not writable", remedy, OUT_OF_REACH))
    if free < LEAST_FREE_BYTES:
        remedy = "free some of the disk; old files in `recordings` can go"
        found.append(Finding("space", f"{free >> 20} MiB left at {standing}", remedy, OUT_OF_REACH))
    room = f"{folder}: writable, {free / 1e9:.1f} GB free"
    return [*(found or [Finding("folder", room)]), _database(folder / DATABASE)]


def _database(path: Path) -> Finding:
    if not path.exists():
        return Finding("database", "none yet, the first start makes one")
    try:
        with distrust(path):
            inspect(path, len(MIGRATIONS))
    except StoreDamaged as err:
        words, _, remedy = str(err).partition("; ")
        return Finding("database", words, remedy, DAMAGED)
    except StoreFault as err:
        return Finding("database", str(err), "see to its permissions and its disk", OUT_OF_REACH)
    return Finding("database", f"{path.name}: sound")


def clock(now: datetime) -> Finding:
    """Dates in records are worth what the clock is; nothing else depends on it."""
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now.year < FIRST_YEAR:
        remedy = "set it (timedatectl set-time), and see to the computer's battery"
        return Finding("clock", told, remedy, OUT_OF_REACH)
    if ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)) == TIME_ERROR:
        return Finding("clock", f"{told}, not synchronised", "timedatectl set-ntp true")
    return Finding("clock", told)


def machine(config: MachineConfig) -> Finding:
    """What it will take; cores that are not there are a mistake of the configuration already."""
    here = len(os.sched_getaffinity(0))
    threads = config.threads or "as many as the libraries like"
    words = f"{here} cores here, takes {config.cores or 'all'}; threads for numbers: {threads}"
    return Finding("cores", words)


def line_trouble(name: str, address: str) -> Finding | None:
    """Why a serial line cannot be opened, if its device file tells already."""
    parts = urlsplit(address)
    if parts.scheme != "serial":
        return None
    path = Path(parts.path)
    if not path.exists():
        remedy = "plug it in; boards/profiles/99-gansource.rules makes the names"
        return Finding(name, f"{path}: no such device", remedy, OUT_OF_REACH)
    if not os.access(path, os.R_OK | os.W_OK):
        remedy = f"`usermod -aG {path.group()} USER`, then log in anew"
        return Finding(name, f"{path}: belongs to the group {path.group()}", remedy, OUT_OF_REACH)
    return None
