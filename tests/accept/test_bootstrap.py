"""The script `./gansource` on its own, with a pretended interpreter: nothing is fetched."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Logs its calls; makes what `venv` and `pip` would make. FAKE_* set by a test spoil one step.
INTERPRETER = r"""#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
    *version_info*) echo "${FAKE_VERSION-3.11}" ;;
    *ensurepip*) [ -z "${FAKE_NO_VENV-}" ] ;;
    *"-m venv"*)
        for folder; do :; done
        mkdir -p "$folder/bin" "$folder/lib/python3.11/site-packages/pip"
        ln -s "$(readlink -f "$0")" "$folder/bin/python"
        printf '%s\n' '#!/bin/sh' 'echo $$; printf "<%s>\n" "$@"' >"$folder/bin/gansource"
        chmod +x "$folder/bin/gansource" ;;
    *--require-hashes*)
        [ ! -p "${FAKE_GATE-}" ] || { cat "$FAKE_GATE" >/dev/null; rm "$FAKE_GATE"; }
        [ -z "${FAKE_OFFLINE-}" ] || { echo "no route to the index"; exit 1; }
        for pins; do :; done
        packages=${0%/bin/python}/lib/python3.11/site-packages
        sed -n 's/==.*//p' "$pins" | while read -r name; do mkdir -p "$packages/$name"; done ;;
esac
"""
LOCK = "numpy==1 \\\n    --hash=sha256:00\n\n# test\npytest==2 \\\n    --hash=sha256:11\n"


class Clone:
    """A clone of nothing but the script and what it reads."""

    def __init__(self, folder: Path, search: Path) -> None:
        self.folder, self.search, self.calls = folder, search, search.parent / "calls"
        self.script = folder / "gansource"
        self.packages = folder / ".venv/lib/python3.11/site-packages"
        self.environ = {"PATH": f"{search}:/usr/bin:/bin", "CALLS": str(self.calls)}
        folder.mkdir()
        shutil.copy(ROOT / "gansource", self.script)
        (folder / "lock-3.11.txt").write_text(LOCK)
        (folder / "pyproject.toml").write_text("[project]\n")

    def start(self, *words: str, **environ: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [self.script, *words],
            env=self.environ | environ,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """Status, the words that reached the command inside, standard error."""
        with self.start(*words, **environ) as process:
            told, complaint = process.communicate()
        inside, _, handed_over = told.partition("\n")
        assert inside in {"", str(process.pid)}, "a signal would not reach the command inside"
        return process.returncode, handed_over, complaint

    def count(self, what: str) -> int:
        return self.calls.read_text().count(what) if self.calls.exists() else 0


def lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stderr
    return iter(process.stderr)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    interpreter = tmp_path / "interpreter"
    interpreter.write_text(INTERPRETER)
    interpreter.chmod(interpreter.stat().st_mode | stat.S_IXUSR)
    search = tmp_path / "bin"
    search.mkdir()
    for name in ("python3", "python3.11", "python3.13"):
        (search / name).symlink_to(interpreter)
    return Clone(tmp_path / "a clone's folder", search)


@pytest.fixture
def made(clone: Clone) -> Clone:
    assert clone.call()[0] == 0
    clone.calls.unlink()
    return clone


def test_the_first_call_makes_the_environment_and_hands_over(clone: Clone) -> None:
    status, told, complaint = clone.call("run", "two words", 'a "quote"', "", "$HOME *")
    assert (status, told) == (0, '<run>\n<two words>\n<a "quote">\n<>\n<$HOME *>\n')
    assert "first call" in complaint
    assert "numpy" in complaint
    assert "pytest" not in complaint


def test_a_fresh_environment_starts_no_interpreter(made: Clone) -> None:
    assert made.call("run") == (0, "<run>\n", "")
    assert not made.calls.exists()


def test_through_a_symlink(made: Clone, tmp_path: Path) -> None:
    made.script = tmp_path / "link"
    made.script.symlink_to(made.folder / "gansource")
    assert made.call("run") == (0, "<run>\n", "")


def test_the_test_tools_come_with_the_first_test(made: Clone) -> None:
    _, _, complaint = made.call("test")
    assert (made.packages / "pytest").exists()
    assert "numpy" not in complaint
    made.calls.unlink()
    assert made.call("test", "-k", "x") == (0, "<test>\n<-k>\n<x>\n", "")
    assert made.call("run") == (0, "<run>\n", "")
    assert not made.calls.exists()


def moved(clone: Clone) -> None:
    clone.folder = clone.folder.rename(clone.folder.with_name("elsewhere"))
    clone.script = clone.folder / "gansource"


def interpreter_replaced(clone: Clone) -> None:
    """As the system's next release does it: the old file is gone, `python3` is another."""
    old = clone.folder.parent / "interpreter"
    newer = old.rename(old.with_name("newer"))
    for name in clone.search.iterdir():
        name.unlink()
        name.symlink_to(newer)


def package_lost(clone: Clone) -> None:
    (clone.packages / "numpy").rmdir()


def cut_short(clone: Clone) -> None:
    (clone.folder / ".venv/stamp").unlink()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (moved, "folder changed"),
        (interpreter_replaced, "interpreter changed"),
        (package_lost, "packages changed"),
        (cut_short, "an earlier call did not finish"),
    ],
)
def test_a_broken_environment_is_made_anew(
    made: Clone, spoil: Callable[[Clone], None], why: str
) -> None:
    spoil(made)
    status, told, complaint = made.call("run")
    assert (status, told) == (0, "<run>\n")
    assert f"{why}: making .venv" in complaint
    assert made.count("-m venv") == 1
    assert made.call("run")[2] == ""


def test_changed_pins_are_installed_in_place(made: Clone) -> None:
    made.call("test")
    made.calls.unlink()
    (made.folder / "lock-3.11.txt").write_text("scipy==3\n" + LOCK + "mypy==1\n")
    assert "pins changed" in made.call("run")[2]
    assert {"scipy", "mypy"} <= {package.name for package in made.packages.iterdir()}
    assert made.count("-m venv") == 0


def test_out_of_reach_keeps_what_works(made: Clone) -> None:
    lock = made.folder / "lock-3.11.txt"
    lock.write_text(LOCK.replace("numpy==1", "numpy==2"))
    status, told, complaint = made.call("run", FAKE_OFFLINE="yes")
    assert (status, told) == (5, "")
    assert "no route to the index" in complaint
    assert "network" in complaint
    lock.write_text(LOCK)
    assert made.call("run") == (0, "<run>\n", "")


def test_without_the_venv_module(clone: Clone) -> None:
    status, _, complaint = clone.call("run", FAKE_NO_VENV="yes")
    assert status == 5
    assert "apt-get install python3-venv" in complaint


def test_with_no_interpreter_we_know(clone: Clone) -> None:
    status, _, complaint = clone.call("run", FAKE_VERSION="3.9")
    assert status == 5
    assert "needs Python 3.11 or 3.13: apt-get install python3 python3-venv" in complaint


def test_of_two_first_calls_one_makes_and_one_waits(clone: Clone, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with clone.start("test", FAKE_GATE=str(gate)) as first:
        told = lines(first)
        next(line for line in told if "installing" in line)
        with clone.start("test") as second:
            assert "waiting" in next(lines(second))
            gate.write_text("go on")
            assert second.wait() == 0
        assert first.wait() == 0
    assert clone.count("-m venv") == 1
    assert clone.count("--require-hashes") == 2, "one part to run, one to test"
