"""Every guard fails on an offence planted for it, and lets its innocent neighbour pass.

A copy of the project is sabotaged and put through the whole of `tests/run.py`.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.planted import PLANTED

ROOT = Path(__file__).parents[1]
COPIED = (
    *("controller", "mapping", "optics", "hil", "pyproject.toml"),
    *(
        "tests/conftest.py",
        "tests/guards.py",
        "tests/laws.py",
        "tests/run.py",
        "tests/test_architecture.py",
    ),
    ".mypy_cache",  # spares checking everything anew
)


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `tests/run.py` says of the sabotaged copy."""
    copy = tmp_path_factory.mktemp("sabotaged")
    (copy / "tests").mkdir()
    for part in COPIED:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part)
        elif (ROOT / part).exists():
            shutil.copy2(ROOT / part, copy / part)
    for path, text in PLANTED.items():
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_text(text)
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    wide = {"COLUMNS": "400", "PYTEST_ADDOPTS": "-rpfE"}
    command = [sys.executable, "tests/run.py"]
    run = subprocess.run(command, cwd=copy, env=inherited | wide, capture_output=True, text=True)
    assert run.returncode == 1, run.stderr
    return run.stdout


def planted_lines() -> Iterator[tuple[str, str]]:
    """Where each planted line stands, and what a linter or type checker must say of it."""
    for path, text in PLANTED.items():
        for number, line in enumerate(text.splitlines(), start=1):
            expected = line.partition("  # expect: ")[2]
            if expected and "test_planted" not in path:
                yield f"{path}:{number}:", expected


def test_lint_and_types_see_every_planted_line(verdict: str) -> None:
    said = verdict.splitlines()
    unseen = [
        (place, expected)
        for place, expected in planted_lines()
        if not any(line.startswith(place) and expected in line for line in said)
    ]
    assert unseen == []


def test_every_import_contract_has_seen_an_offence(verdict: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    names = [contract["name"] for contract in contracts["contracts"]]
    assert [name for name in names if f"{name} BROKEN" not in verdict] == []


def test_every_rule_of_the_architecture_has_seen_an_offence(verdict: str) -> None:
    tree = ast.parse((ROOT / "tests/test_architecture.py").read_text())
    rules = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    failed = set(re.findall(r"^FAILED tests/test_architecture.py::(\w+)", verdict, re.MULTILINE))
    assert {rule for rule in rules if rule.startswith("test_")} == failed


def planted_tests() -> Iterator[tuple[str, str]]:
    """The id of each planted test, and what its failure must say; nothing for the innocent."""
    for path, text in PLANTED.items():
        if "test_planted" not in path:
            continue
        clocks = re.findall(r'"(\w+)"', "".join(re.findall(r"mark.clocks.*", text)))
        for name, phrase in re.findall(r"def (test_\w+)\(.*\):(?:  # expect: )?(.*)", text):
            for variant in [f"[{clock}]" for clock in clocks] or [""]:
                yield f"{path}::{name}{variant}", phrase


def test_planted_tests_fail_for_their_own_reason_and_innocents_pass(verdict: str) -> None:
    told: dict[str, str] = {}
    for test, message in re.findall(r"^(?:FAILED|ERROR) (\S+) - (.*)", verdict, re.MULTILINE):
        told[test] = f"{told.get(test, '')} {message}"
    passed = set(re.findall(r"^PASSED (\S+)", verdict, re.MULTILINE)) - told.keys()
    wrong = [
        (test, told.get(test))
        for test, phrase in planted_tests()
        if (not re.search(phrase, told.get(test, "")) if phrase else test not in passed)
    ]
    assert wrong == []


def test_the_closing_line_counts_stages_and_tests(verdict: str) -> None:
    failed, passed, errors = re.findall(r"(\d+) failed, (\d+) passed, (\d+) errors", verdict)[-1]
    stages = len(re.findall(r"^FAIL (?!pytest)", verdict, re.MULTILINE))
    sums = f"{int(passed) + 4 - stages} passed, {int(failed) + int(errors) + stages} failed"
    assert verdict.splitlines()[-1] == sums
