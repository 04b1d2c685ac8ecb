"""What a test may not leave behind, and what may not be called while an event loop runs.

The blocking-call guard sees sleeps, opened files, databases, name look-ups, blocking
connects, started processes, joins and flushes. It cannot see C code that merely takes long,
nor reads of a file that is already open.
"""

import asyncio
import contextlib
import functools
import gc
import inspect
import logging
import os
import pkgutil
import socket
import sqlite3
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from unittest import mock

Waits = Callable[..., bool]

ENDING_THREAD_S = 1.0
ENDING_TASK_TURNS = 10

LIVE_AS_LONG_AS_PYTHON = (
    # started once by the standard library and kept until the interpreter ends
    "multiprocessing.resource_tracker",
    "multiprocessing.forkserver",
)

EXCUSED_CALLERS = {
    "importlib._bootstrap": "an import happens once",
    "traceback": "source lines of an error: something has gone wrong already",
    "hil.clock": "the jumping loop runs an executor's work inline, by design",
}


class Held(NamedTuple):
    """What this process holds at one moment."""

    descriptors: dict[str, str]
    threads: set[threading.Thread]
    children: set[str]

    @classmethod
    def now(cls) -> "Held":
        return cls(_descriptors("self"), set(threading.enumerate()), _children())


@contextlib.contextmanager
def leaks_found() -> Iterator[list[str]]:
    """Fill the list with what the block leaves behind, once the block has ended.

    Freezing what was there before makes the collection look at the block's own objects only:
    well under a millisecond instead of tens.
    """
    gc.freeze()
    leaks: list[str] = []
    before = Held.now()
    with _tasks_watched(leaks):
        yield leaks
        gc.collect()  # what nobody holds complains now, and to this test
    leaks += _left_behind(before)


def _left_behind(before: Held) -> list[str]:
    for thread in set(threading.enumerate()) - before.threads:
        if "waitpid-" in thread.name:  # Python 3.11: one for each child; 3.11.2 omits "asyncio-"
            thread.join(ENDING_THREAD_S)
    now = Held.now()
    children = {pid: _command(pid) for pid in now.children - before.children}
    helpers = {pid for pid, command in children.items() if _lives_on(command)}
    kept = {target for pid in helpers for target in _descriptors(pid).values()}
    opened = now.descriptors.items() - before.descriptors.items()
    return [
        *(f"thread: {thread.name}" for thread in now.threads - before.threads),
        *(f"child process: {pid} {children[pid]}" for pid in children.keys() - helpers),
        *(f"descriptor: {number} -> {target}" for number, target in opened if target not in kept),
    ]


def _children() -> set[str]:
    found: set[str] = set()
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # just ended
            found.update((thread / "children").read_text().split())
    return found


def _descriptors(process: str) -> dict[str, str]:
    found = {}
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists the folder
            found[descriptor.name] = str(descriptor.readlink())
    return found


def _command(pid: str) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return words or "(ended, never waited for)"


def _lives_on(command: str) -> bool:
    return any(helper in command for helper in LIVE_AS_LONG_AS_PYTHON)


@contextlib.contextmanager
def _tasks_watched(leaks: list[str]) -> Iterator[None]:
    """Look at each loop before its runner closes it, because closing cancels in silence."""
    close = asyncio.Runner.close

    def look_then_close(runner: asyncio.Runner) -> None:
        with contextlib.suppress(RuntimeError):  # closed already
            leaks.extend(_tasks_alive(runner.get_loop()))
        close(runner)

    complaints = _Complaints(leaks)
    logging.getLogger("asyncio").addHandler(complaints)
    try:
        with mock.patch.object(asyncio.Runner, "close", look_then_close):
            yield
    finally:
        logging.getLogger("asyncio").removeHandler(complaints)


def _tasks_alive(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Tasks that do not end by themselves within a few turns of the loop."""
    if loop.is_closed() or loop.is_running():
        return []
    for _ in range(ENDING_TASK_TURNS):
        if asyncio.all_tasks(loop):
            loop.run_until_complete(asyncio.sleep(0))
    return [f"task: {task!r}" for task in asyncio.all_tasks(loop)]


class _Complaints(logging.Handler):
    """An exception nobody retrieved, a task destroyed while pending: asyncio only logs them."""

    def __init__(self, leaks: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._leaks = leaks

    def emit(self, record: logging.LogRecord) -> None:
        self._leaks.append(f"asyncio complained: {self.format(record)}")


class BlockingCall(AssertionError):
    """Something waited for the outside world while the event loop stood still."""


class BlockingGuard:
    """Refuses what waits, in a thread whose event loop is running, and keeps where it was."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self._armed = False

    def install(self) -> None:
        """Once per process: an audit hook cannot be taken out again."""
        sys.addaudithook(self._audit)

    @contextlib.contextmanager
    def armed(self) -> Iterator[None]:
        with contextlib.ExitStack() as patches:
            for call, waits in UNAUDITED.items():
                patches.enter_context(mock.patch(call, self._guarded(call, waits)))
            patches.enter_context(mock.patch("sqlite3.connect", self._watched(sqlite3.connect)))
            self._armed = True
            try:
                yield
            finally:
                self._armed = False

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if self._armed and event in AUDITED and AUDITED[event](*args):
            self._refuse(event)

    def _guarded(self, name: str, waits: Waits) -> Callable[..., Any]:
        original = pkgutil.resolve_name(name)

        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            if waits(*args, **kwargs):
                self._refuse(name)
            return original(*args, **kwargs)

        return call

    def _watched(self, connect: Callable[..., sqlite3.Connection]) -> Callable[..., Any]:
        """SQLite drops what a trace callback raises, but what it adds to `refused` stays."""

        @functools.wraps(connect)
        def call(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection = connect(*args, **kwargs)
            connection.set_trace_callback(lambda statement: self._refuse("sqlite3: " + statement))
            return connection

        return call

    def _refuse(self, call: str) -> None:
        if not self._armed or not _loop_runs_here():
            return
        callers = list(_callers_inside_the_loop())
        if _excused([frame.f_globals["__name__"] for frame in callers]):
            return
        place = "".join(traceback.format_stack(callers[0] if callers else None, limit=5))
        self.refused.append(f"{call} blocks the event loop\n{place}")
        raise BlockingCall(f"{call} blocks the event loop")


def _loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _callers_inside_the_loop() -> Iterator[FrameType]:
    """The frames from the call outwards, as far as the loop's own `Handle._run`."""
    frame = inspect.currentframe()
    while frame and frame.f_globals["__name__"] != "asyncio.events":
        if frame.f_globals["__name__"] != __name__:
            yield frame
        frame = frame.f_back


def _excused(modules: list[str]) -> bool:
    if any(module in EXCUSED_CALLERS for module in modules):
        return True
    caller = next((module for module in modules if module != "subprocess"), "")
    return caller.startswith("asyncio.")  # its own children and threads: no other way exists


def _waits_for_file(path: Any, _mode: object, flags: int) -> bool:
    if isinstance(path, int):
        return False  # a name for what is open already
    # A terminal opened this way does not wait for its line; pyserial does so.
    unwaiting = flags & os.O_NONBLOCK and Path(os.fsdecode(path)).resolve().is_relative_to("/dev")
    return not unwaiting


def _waits_for_peer(sock: socket.socket, _address: object) -> bool:
    return sock.gettimeout() != 0


def _waits_for_ready(*selected: object) -> bool:
    return selected[3:] != (0,)


def _always(*_args: object, **_kwargs: object) -> bool:
    return True


AUDITED: dict[str, Waits] = {
    "open": _waits_for_file,
    "os.system": _always,
    "socket.connect": _waits_for_peer,
    "socket.getaddrinfo": _always,
    "socket.gethostbyaddr": _always,
    "socket.gethostbyname": _always,
    "sqlite3.connect": _always,
    "subprocess.Popen": _always,
    "time.sleep": _always,  # audited from Python 3.13 on
}

UNAUDITED: dict[str, Waits] = {
    "concurrent.futures.Future.result": lambda future, *_, **__: not future.done(),
    "os.fdatasync": _always,
    "os.fsync": _always,
    "select.select": _waits_for_ready,
    "threading.Thread.join": lambda thread, *_, **__: thread.is_alive(),
    "time.sleep": _always,
}
