"""The power is cut between any two writes, or the disk refuses one: nothing kept is lost.

The very `Ledger` works over a file system that remembers each operation. For every place between
two of them the files are made again as a cut might leave them, and opened as a next start does.
"""

import itertools
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import apsw
import pytest

from controller.ledger import (
    MIGRATIONS,
    Database,
    Ledger,
    StoreFault,
    Write,
    audit,
    begin_run,
    end_run,
    set_setting,
)
from tests.accept.recording_vfs import Operation, Platter, RecordedConnection, RecordingVfs

NEWER = (*MIGRATIONS, "ALTER TABLE audit ADD COLUMN seen TEXT; CREATE INDEX whose ON audit (who)")
DATABASE = "store.sqlite"
ATTEMPTS = 20
MEMORY = Path("/dev/shm")  # noqa: S108 - cut files need no disk

_numbers = itertools.count()


class Contents(NamedTuple):
    """All that a store holds."""

    label: str = ""
    runs: tuple[tuple[int, str | None], ...] = ()
    audit: tuple[str, ...] = ()

    @classmethod
    def of(cls, ledger: Ledger) -> "Contents":
        labels = ledger.read("SELECT value FROM setting WHERE name = 'label'")
        runs = ledger.read("SELECT id, how FROM run ORDER BY id")
        lines = ledger.read("SELECT what FROM audit ORDER BY id")
        return cls(labels[0][0] if labels else "", tuple(runs), tuple(line for [line] in lines))


Change = tuple[Write, Contents]
Entry = Callable[[Contents, str], Change]


def label(now: Contents, text: str) -> Change:
    return set_setting("label", text), now._replace(label=text)


def begin(now: Contents, _text: str) -> Change:
    return begin_run("dawn"), now._replace(runs=(*now.runs, (len(now.runs) + 1, None)))


def end(now: Contents, text: str) -> Change:
    if not now.runs:
        return begin(now, text)
    *earlier, (run_id, _) = now.runs
    return end_run(run_id, "dusk", text), now._replace(runs=(*earlier, (run_id, text)))


def note(now: Contents, text: str) -> Change:
    return audit("noon", "host", text), now._replace(audit=(*now.audit, text))


class Life:
    """What one computer's store went through, from its first file or from an earlier cut."""

    def __init__(
        self, folder: Path, start: dict[str, bytes], contents: Contents, synchronous: str = "FULL"
    ) -> None:
        self.start, self._path, self._synchronous = start, folder / DATABASE, synchronous
        self.vfs = RecordingVfs(f"recording {next(_numbers)}", start)
        self.contents, self._kept_at = [contents], [0]
        self.refused, self.doubtful = 0, list[Contents]()
        write_files(folder, start)

    def live(self, rng: random.Random, sessions: int = 3, batches: int = 12) -> None:
        """Several starts with a clean stop each; the program becomes a newer one on the way."""
        for session in range(sessions):
            first = not self.start and session == 0
            with closing(self._opened(MIGRATIONS if first else NEWER)) as ledger:
                for _ in range(batches):
                    entries = rng.choices([label, note, begin, end], k=rng.randint(1, 4))
                    self._keep(ledger, entries, rng)

    def places(self) -> Iterator[tuple[Platter, list[Contents]]]:
        """Each place between two operations, and what may be found after a cut there."""
        platter = Platter(self.start)
        for place in range(len(self.vfs.operations) + 1):
            kept = bisect_right(self._kept_at, place) - 1
            yield platter, self.contents[kept : kept + 2]
            if place < len(self.vfs.operations):
                platter.follow(self.vfs.operations[place])

    def _opened(self, migrations: Sequence[str]) -> Ledger:
        def connection(path: Path) -> Database:
            return RecordedConnection(path, self.vfs, self._synchronous)

        for _ in range(ATTEMPTS):
            try:
                ledger = Ledger(self._path, connection, migrations)
            except StoreFault:
                self.refused += 1
            else:
                [self.contents[-1]] = {Contents.of(ledger)} & {self.contents[-1], *self.doubtful}
                self.doubtful.clear()
                return ledger
        pytest.fail(f"the store did not open in {ATTEMPTS} attempts")

    def _keep(self, ledger: Ledger, entries: Sequence[Entry], rng: random.Random) -> None:
        now, writes = self.contents[-1], []
        for entry in entries:
            write, now = entry(now, f"{len(self.contents)} {'.' * rng.randrange(300)}")
            writes.append(write)
        try:
            ledger.write(writes)
        except StoreFault as fault:
            self.refused += 1
            if "sync refused" in str(fault):
                self.doubtful.append(now)
        else:
            self.doubtful.clear()
            self.contents.append(now)
            self._kept_at.append(len(self.vfs.operations))


class Verdict(NamedTuple):
    """What the next start finds, and what is wrong with it."""

    found: Contents
    wrong: str


def judged(folder: Path, files: dict[str, bytes], allowed: list[Contents]) -> Verdict:
    """Start as the product does on what the cut has left."""
    write_files(folder, files)
    try:
        with closing(Ledger(folder / DATABASE, migrations=NEWER)) as ledger:
            [[integrity]] = ledger.read("PRAGMA integrity_check(1)")
            found = Contents.of(ledger)
            [run_id] = ledger.write([begin_run("the next morning")])
    except StoreFault as err:
        return Verdict(Contents(), f"refused: {err}")
    if integrity != "ok":
        return Verdict(found, f"malformed: {integrity}")
    if found not in allowed:
        return Verdict(found, f"{found} instead of {allowed}")
    if run_id != len(found.runs) + 1:
        return Verdict(found, f"run {run_id} follows {found.runs}")
    return Verdict(found, "")


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


class Cuts:
    """Cuts the power of one life after the other, and counts."""

    def __init__(self, bench: Path, rng: random.Random, synchronous: str = "FULL") -> None:
        self.places, self.wrong = 0, list[str]()
        self._rng, self._synchronous = rng, synchronous
        self._alive, self._found = bench / "alive", bench / "found"
        self._alive.mkdir()
        self._found.mkdir()

    def __str__(self) -> str:
        return f"{self.places} places cut, synchronous={self._synchronous}: {len(self.wrong)} bad"

    def through(self, lives: int, cuts_per_place: int = 1) -> None:
        """Each later life begins with what a cut of the one before has left."""
        start, contents = dict[str, bytes](), Contents()
        for _ in range(lives):
            life = Life(self._alive, start, contents, self._synchronous)
            life.live(self._rng)
            assert life.refused == 0
            left = []
            for place, (platter, allowed) in enumerate(life.places()):
                for _ in range(cuts_per_place):
                    files = platter.after_cut(self._rng)
                    verdict = judged(self._found, files, allowed)
                    self.places += 1
                    self.wrong += [f"place {place}: {verdict.wrong}"] * bool(verdict.wrong)
                    left.append((files, verdict.found))
            start, contents = self._rng.choice(left)


@pytest.fixture
def bench() -> Iterator[Path]:
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def test_nothing_kept_is_lost_wherever_the_power_is_cut(bench: Path, rng: random.Random) -> None:
    cuts = Cuts(bench, rng)
    cuts.through(lives=4)
    assert cuts.wrong == []
    assert cuts.places >= 700, cuts


@pytest.mark.full
def test_nothing_kept_is_lost_however_the_power_is_cut(bench: Path, rng: random.Random) -> None:
    cuts = Cuts(bench, rng)
    cuts.through(lives=20, cuts_per_place=2)
    assert cuts.wrong == []
    assert cuts.places >= 2000, cuts


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_judge_sees_what_lesser_care_loses(
    bench: Path, rng: random.Random, synchronous: str
) -> None:
    cuts = Cuts(bench, rng, synchronous)
    cuts.through(lives=1)
    assert len(cuts.wrong) > cuts.places / 4, cuts


class Trouble:
    """From one operation on, and for a while, the disk refuses what would change it."""

    def __init__(self, error: type[apsw.Error], kinds: set[str], begins: int, lasts: int) -> None:
        self._error, self._kinds, self._refused = error, kinds, range(begins, begins + lasts)
        self.asked = 0

    def __call__(self, operation: Operation) -> None:
        refused = self.asked in self._refused and operation.doing in self._kinds
        self.asked += 1
        if refused:
            raise self._error(f"{operation.doing} refused")


@pytest.mark.parametrize("lasts", [1, 5])
@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (apsw.FullError, {"create", "write"}),
        (apsw.IOError, {"create", "write", "truncate", "sync", "delete"}),
    ],
    ids=["full", "failing"],
)
def test_what_the_disk_refuses_is_all_that_is_missing(
    bench: Path, rng: random.Random, error: type[apsw.Error], kinds: set[str], lasts: int
) -> None:
    """After a failed sync nobody can know: the next start may find that batch."""
    refused = 0
    for begins in itertools.count():
        life = Life(bench, {}, Contents())
        life.vfs.before = trouble = Trouble(error, kinds, begins, lasts)
        life.live(rng, sessions=2, batches=4)
        if trouble.asked <= begins:
            break
        left = {path.name: path.read_bytes() for path in bench.iterdir()}
        verdict = judged(bench, left, [life.contents[-1], *life.doubtful])
        assert verdict.wrong == "", f"refused from {begins} on"
        assert life.refused <= lasts
        refused += life.refused
    assert refused >= begins / 2, "most operations belong to a start or a commit"
