"""gansource rig: the rack alone in its own process, its endpoints, and a socket to trouble it.

The socket takes one JSON object a line: {"trouble": NAME, "for_s", "severity", "device", "axis"}
begins a trouble, {"end": NUMBER} ends it before its time, {"truth": true} looks at the world,
{"sight": true} at what the camera has before it: column, row, height in um and counts a second.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from controller.commands.terminal import BAD_INPUT, DONE, OUT_OF_REACH, complain, say
from controller.records import ConfigMistakes
from hil import scenario
from hil.front import whole
from hil.mischief import End, NotHere
from hil.rig import FOLDER_PREFIX, WiredRig
from hil.troubles import TROUBLES, ordered
from hil.wires import Wire

LINE_BYTES = 65_536


def rig(options: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT."""
    sweep(Path(tempfile.gettempdir()))
    try:
        wanted = scenario.load(options.scenario) if options.scenario else scenario.Scenario()
        asyncio.run(_alone(wanted, options.seed, options.gige, options.endpoints))
    except ConfigMistakes as err:
        return complain(err, BAD_INPUT)
    except OSError as err:
        return complain(err, OUT_OF_REACH)
    return DONE


def sweep(where: Path) -> None:
    """Folders of rigs that died without cleaning up; each is named after its process."""
    for folder in where.glob(f"{FOLDER_PREFIX}*"):
        number = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def beside(seed: int) -> int:
    """For a controller that began this process: until it closes our input, or is no more."""
    asyncio.run(_beside(seed))
    return DONE


async def _alone(wanted: scenario.Scenario, seed: int, gige: str, endpoints: Path | None) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    async with _powered(wanted, seed, gige) as told:
        if endpoints is not None:
            await asyncio.to_thread(whole, endpoints, told + "\n")
        say(told)
        await stop.wait()


async def _beside(seed: int) -> None:
    left, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), left.set)
    async with _powered(scenario.Scenario(), seed) as told:
        say(told)
        await left.wait()
        loop.remove_reader(sys.stdin.fileno())


@asynccontextmanager
async def _powered(wanted: scenario.Scenario, seed: int, gige: str = "") -> AsyncIterator[str]:
    """The rig with its control socket, and what is said of where it is found."""
    loop = asyncio.get_running_loop()
    async with WiredRig(seed, wanted.wires, wanted.world, gige) as powered:
        control = Control(powered)
        path = powered.folder / "control"
        within = os.open(powered.folder, os.O_RDONLY)
        short = f"/proc/self/fd/{within}/control"  # a socket's path may have 107 bytes at most
        server = await asyncio.start_unix_server(control.talk, short, limit=LINE_BYTES)
        for fault in wanted.fault:
            loop.call_later(fault.at_s, control.begin_planned, fault)
        yield json.dumps({**powered.addresses, "control": str(path), "pid": os.getpid()})
        server.close()
        control.hang_up()
        os.close(within)


class Control:
    """Troubles on demand, and the truth; no controller belongs to this rig."""

    def __init__(self, powered: WiredRig) -> None:
        self.rack, self.clock = powered.rack, powered.clock
        self.wires: Mapping[str, Wire] = powered.wires
        self._ends: dict[int, tuple[End, asyncio.TimerHandle]] = {}
        self._begun = 0
        self._clients: set[asyncio.StreamWriter] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client; a line that makes no sense is answered with what is wrong with it."""
        self._clients.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass  # it left, or sent more than a line may hold
        finally:
            self._clients.discard(writer)
            writer.close()

    def hang_up(self) -> None:
        for writer in tuple(self._clients):
            writer.transport.abort()

    def answer(self, line: bytes) -> dict[str, Any]:
        """To one request."""
        try:
            asked = json.loads(line)
            [(word, act)] = [(w, a) for w, a in self._acts().items() if w in asked]
            return act(asked[word], asked)
        except (ValueError, TypeError, KeyError) as err:
            known = ", ".join(self._acts())
            return {"error": f"{type(err).__name__}: {err}; one of {known} is wanted"}
        except NotHere as err:
            return {"error": str(err)}

    def begin_planned(self, fault: scenario.Fault) -> None:
        """One of the scenario's."""
        order = {name: getattr(fault, name) for name in ("for_s", "severity", "device", "axis")}
        self._trouble(fault.name, order)

    def kill(self) -> None:
        raise NotHere("no controller belongs to this rig: end its process yourself")

    def revive(self) -> None:
        """There is none."""

    def fill_disk(self, *, full: bool) -> None:
        raise NotHere(f"the disk is the controller's ({full})")

    def shift_clock(self, by_s: float) -> None:
        raise NotHere(f"the clock is the controller's ({by_s:g} s)")

    def _acts(self) -> Mapping[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]]:
        asks = {"truth": self._truth, "sight": self._sight}
        return {"trouble": self._trouble, "end": self._end, **asks}

    def _trouble(self, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        if name not in TROUBLES:
            raise KeyError(f"{name!r} is no trouble: {', '.join(TROUBLES)}")
        for_s, severity = float(asked.get("for_s", 0.0)), float(asked.get("severity", 0.0))
        device, axis = str(asked.get("device", "stage")), str(asked.get("axis", "x"))
        order = ordered(name, for_s, severity, device, axis)
        end = TROUBLES[name].begin(self, order)
        self._begun += 1
        number = self._begun
        later = asyncio.get_running_loop().call_later(order.for_s, self._end, number, {})
        self._ends[number] = (end, later)
        return {"begun": number, "at_s": self.clock(), "for_s": order.for_s}

    def _end(self, number: int, _asked: Mapping[str, Any]) -> dict[str, Any]:
        end, later = self._ends.pop(number)
        later.cancel()
        end()
        return {"ended": number, "at_s": self.clock()}

    def _truth(self, _what: object, _asked: Mapping[str, Any]) -> dict[str, Any]:
        now_s, world = self.clock(), self.rack.world
        emitter, share = world.faced(now_s)
        return {
            "now_s": now_s,
            "stage_um": list(self.rack.stage.true_position_um()),
            "focus_um": world.focus_um(now_s).tolist(),
            "laser_uw": world.laser_power_uw(now_s),
            "faced": {"emitter": emitter, "share": share},
            "temperatures_k": list(world.temperatures_k(now_s)),
            "aim_um": [
                world.aim_um(place, now_s).round(4).tolist() for place in world.near_um(now_s, 5.0)
            ],
        }

    def _sight(self, _what: object, _asked: Mapping[str, Any]) -> dict[str, Any]:
        """The brightest first."""
        world = self.rack.world
        places, cps = world.in_sight(world.camera, self.clock())
        emitters = sorted(zip(cps, places.round(3).tolist(), strict=True), reverse=True)
        return {"emitters": [[*place, round(rate, 1)] for rate, place in emitters]}
