"""ID Quantique ID900 and ID1000 time controllers ("Time Controller Series User Manual").

Commands are SCPI in ZeroMQ messages to the device (section 9, port 5555). Tags come through the
maker's DataLinkTarget service, which runs on this computer (section 10, port 6060) and streams
each input on a port of its own: 64-bit picoseconds, an empty message at the end. The order of
commands is that of the maker's streaming example.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from optics.answers import finite
from optics.devices import Identity
from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, DeviceStuck
from optics.link import Link, Patience, Reply
from optics.quantities import TagRun
from optics.tag_words import BadWords, merged
from optics.transports import Opener
from optics.zmtp import Inflow, lines_over_zmtp

Crunch = Callable[..., Awaitable[Any]]
"""Runs a function with its arguments off the loop."""

LOOK_S = 0.5
STAGES = {"IDLE", "WAITING", "PLAYING", "ARMED"}
INTEGRATION_S = 1.0


class IdqSockets(NamedTuple):
    """The four ways to it; on the device's own address the first, on this computer the others."""

    commands: Opener
    link: Opener
    first: Opener
    second: Opener


@dataclass(frozen=True)
class IdqSettings:
    """What the operator decides about the tagger."""

    address: str = "127.0.0.1"  # of the device, as the DataLinkTarget service knows it
    inputs: tuple[int, int] = (1, 2)
    ports: tuple[int, int] = (4242, 4243)
    finish_within_s: float = 2.0  # after the last tag


class IdqDetector:
    """Both detectors' clicks, counted and tagged."""

    def __init__(
        self,
        sockets: IdqSockets,
        settings: IdqSettings,
        patience: Patience,
        crunch: Crunch = asyncio.to_thread,
    ) -> None:
        self._commands = _line("tagger", sockets.commands, patience)
        self._service = _line("tagger", sockets.link, patience)
        self._streams = (sockets.first, sockets.second)
        self._settings, self._crunch = settings, crunch
        self._turn = asyncio.Lock()

    async def connect(self) -> Identity:
        [line] = await self._commands.open(b"*IDN?\n", knows=lambda _reply: True)
        parts = [part.strip() for part in line.decode("latin-1").split(",")]
        await self._service.open(b"list\n", knows=_is_list)
        await self._tell("REC:STOP")
        for number in self._settings.inputs:
            await self._tell(f"INPU{number}:ENAB ON")
            await self._tell(f"INPU{number}:COUN:MODE CYCL")
            await self._tell(f"INPU{number}:COUN:INTE {INTEGRATION_S * 1e3:.0f}")
            await self._tell(f"RAW{number}:REF:LINK NONE")
        return Identity(*[*parts, "", "", "", ""][:4])

    async def rates_cps(self) -> tuple[float, float]:
        first, second = self._settings.inputs
        return await self._rate_cps(first), await self._rate_cps(second)

    async def tags(self, for_s: float) -> TagRun:
        async with self._turn:
            for left in await self._ask_service("list"):
                await self._ask_service(f"stop --id {left}")
            await self._arm(for_s)
            inflows = (Inflow(), Inflow())
            try:
                identities = [await self._listen(at, inflow) for at, inflow in enumerate(inflows)]
                await self._tell("REC:PLAY")
                await self._finished(inflows, for_s)
                lost = [await self._lost(at, identities[at], inflows[at]) for at in (0, 1)]
            finally:
                for inflow in inflows:
                    inflow.hang_up()
        return await self._run(inflows, for_s, sum(lost))

    async def aclose(self) -> None:
        await self._commands.aclose()
        await self._service.aclose()

    async def _arm(self, for_s: float) -> None:
        """One record of that length, which waits for its start."""
        await self._tell("REC:TRIG:ARM:MODE MANU")
        await self._tell("REC:ENAB ON")
        await self._tell("REC:STOP")
        await self._tell("REC:NUM 1")
        await self._tell(f"REC:DUR {for_s * 1e12:.0f}")

    async def _listen(self, at: int, inflow: Inflow) -> str:
        """Let one input's tags come; what the service calls that."""
        number, port = self._settings.inputs[at], self._settings.ports[at]
        await self._tell(f"RAW{number}:ERRORS:CLEAR")
        answer = await self._ask_service(
            f"start-stream --address {self._settings.address} --channel {number}"
            f" --stream-port {port}"
        )
        try:
            await inflow.open(self._streams[at])
            identity = str(answer["id"])
        except OSError as err:
            raise DeviceLost("tagger", f"no stream on port {port} ({err})") from err
        except (KeyError, TypeError) as err:
            raise DeviceGarbled("tagger", f"start-stream was answered {answer!r}") from err
        await self._tell(f"RAW{number}:SEND ON")
        return identity

    async def _finished(self, inflows: Iterable[Inflow], for_s: float) -> None:
        """Return once all streams have ended; look meanwhile whether the device still answers."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + for_s + self._settings.finish_within_s
        pending = {inflow.ended for inflow in inflows}
        while pending:
            done, pending = await asyncio.wait(
                pending, timeout=LOOK_S, return_when=asyncio.FIRST_EXCEPTION
            )
            for fault in filter(None, (stream.exception() for stream in done)):
                raise DeviceLost("tagger", f"the stream broke ({fault})")
            if pending and loop.time() > until_s:
                raise DeviceStuck("tagger", f"no end of the tags {for_s:g} s after their start")
            stage = await self._text("REC:STAG?")
            if stage.upper() not in STAGES:
                raise DeviceGarbled("tagger", f"is in the stage {stage!r}")

    async def _lost(self, at: int, identity: str, inflow: Inflow) -> int:
        """End it; how many tags did not reach us, by the service's word and the device's."""
        answer = await self._ask_service(f"stop --id {identity}")
        try:
            sent = int(answer["status"]["timestamps_count"])
        except (KeyError, TypeError, ValueError) as err:
            raise DeviceGarbled("tagger", f"stop was answered {answer!r}") from err
        number = self._settings.inputs[at]
        await self._tell(f"RAW{number}:SEND OFF")
        errors = await self._number(f"RAW{number}:ERRORS?")
        return max(sent - sum(map(len, inflow.messages)) // 8, 0) + int(errors)

    async def _run(self, inflows: tuple[Inflow, ...], for_s: float, lost: int) -> TagRun:
        blocks = [inflow.messages for inflow in inflows]
        try:
            time_ps, channel = await self._crunch(merged, blocks, round(for_s * 1e12))
        except BadWords as err:
            raise DeviceGarbled("tagger", str(err)) from err
        return TagRun(time_ps, channel, for_s, lost)

    async def _rate_cps(self, number: int) -> float:
        return await self._number(f"INPU{number}:COUN?") / INTEGRATION_S

    async def _ask_service(self, command: str) -> Any:
        [line] = await self._service.ask(f"{command}\n".encode())
        try:
            answer = json.loads(line) if line.strip() else None
        except ValueError as err:
            raise DeviceGarbled("tagger", f"{command!r} was answered {line!r}") from err
        if isinstance(answer, dict) and "error" in answer:
            raise DeviceRefused("tagger", f"{command!r}: {answer['error']}")
        return answer

    async def _tell(self, command: str) -> None:
        await self._text(command)

    async def _number(self, query: str) -> float:
        [number] = finite("tagger", [(await self._text(query)).encode("latin-1")])
        return number

    async def _text(self, message: str) -> str:
        [line] = await self._commands.ask(f"{message}\n".encode())
        text = line.decode("latin-1").strip()
        if "SCPI_ERR_" in text:
            raise DeviceRefused("tagger", f"{message!r} was answered {text!r}")
        return text


def _line(device: str, opener: Opener, patience: Patience) -> Link:
    return Link(device, lines_over_zmtp(opener), ends=lambda _line: True, patience=patience)


def _is_list(reply: Reply) -> bool:
    try:
        return isinstance(json.loads(reply[0]), list)
    except ValueError:
        return False
