"""The frame every test runs in: guards, seed, and the budgets at the end of the report."""

import asyncio
import functools
import gc
import random
import subprocess
from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator, Iterator
from ctypes.util import find_library
from importlib.util import find_spec

import hypothesis
import pytest

from hil.clock import JumpingLoop, ScaledLoop
from tests import laws
from tests.guards import BlockingGuard, leaks_found
from tests.laws import law as law
from tests.test_architecture import budget_report

FIXED_SEED = 20261121

blocking = BlockingGuard()

NAMESPACE = ("unshare", "--map-root-user", "--net")
"""Of the network, since GigE Vision has one port for everybody."""
GIGE = bool(find_library("aravis-0.8")) and not subprocess.run([*NAMESPACE, "true"]).returncode
PYLON = find_spec("pypylon") is not None
left_out = {"accept/test_gige.py": not GIGE, "accept/test_pylon.py": not PYLON}
collect_ignore = [name for name, left in left_out.items() if left]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=FIXED_SEED, help="where all randomness begins")


@pytest.hookimpl(tryfirst=True)  # before Hypothesis reads its options
def pytest_configure(config: pytest.Config) -> None:
    blocking.install()
    # A deadline would be an assertion on wall time.
    hypothesis.settings.register_profile("reproducible", deadline=None, database=None)
    config.option.hypothesis_profile = "reproducible"
    config.option.hypothesis_seed = config.option.seed


def pytest_report_header(config: pytest.Config) -> str:
    needs = "" if GIGE else ": left out, needs libaravis-0.8-0 and unshare --map-root-user --net"
    vendor = "" if PYLON else ": left out, needs pypylon"
    cameras = f"GigE Vision on loopback{needs}\nBasler's emulated camera{vendor}"
    return f"seed: {config.option.seed}\n{cameras}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A refused call fails the test even where the code under test swallowed the refusal."""
    try:
        outcome = yield
    except BaseException:
        if blocking.refused:
            item.add_report_section("call", "blocking calls", "\n".join(blocking.refused))
            blocking.refused.clear()
        raise
    _fail_with(blocking.refused)
    return outcome


@pytest.fixture(autouse=True)
def honest() -> Iterator[None]:
    """First in and last out, so that it sees the loop closed and all fixtures ended."""
    with leaks_found() as leaks, blocking.armed():
        yield
    _fail_with(leaks)
    _fail_with(blocking.refused)


def _fail_with(offences: list[str]) -> None:
    if offences:
        message = "\n".join(offences)
        offences.clear()
        pytest.fail(message, pytrace=False)


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.option.seed)


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """A generator of the test's own, so that no test shifts the draws of another."""
    return random.Random(f"{seed} {request.node.nodeid}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and "law" in item.fixturenames:
            item.add_marker("physics")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stats = terminalreporter.stats
    reports = [report for outcome in ("passed", "failed") for report in stats.get(outcome, ())]
    physics = "physics" in terminalreporter.config.option.markexpr
    for line in (*(laws.told(reports) if physics else ()), *budget_report()):
        terminalreporter.write_line(line)


def pytest_sessionfinish() -> None:
    gc.unfreeze()  # so that the last collection also finds what wider fixtures dropped


CLOCKS: dict[str, Callable[[], AbstractEventLoop]] = {
    "wall": asyncio.SelectorEventLoop,
    "hurried": functools.partial(ScaledLoop, 20),
    "jumping": JumpingLoop,
}


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], AbstractEventLoop]]:
    """The wall's pace, unless `@pytest.mark.clocks(...)` names others: the body runs on each."""
    marker = item.get_closest_marker("clocks")
    names = marker.args if marker else ("wall",)
    return {name: CLOCKS[name] for name in names}
