"""The board in a real MicroPython on a pseudo-terminal: console, flash and pins as they are."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping

import pytest

from hil.emulators.io_board_process import IoBoardProcess
from tests.boards.host import GOOD, VERSION, identity, newer, sealed, update

LEASE_S = 0.25
PATIENCE_S = 60.0  # only a board that is broken takes so long
ALL = pytest.mark.full, pytest.mark.timeout(7200)


class Line:
    """A board, and whoever holds the other end of its line."""

    def __init__(self) -> None:
        self.board = IoBoardProcess(asyncio.get_running_loop().time)
        self.board.said = self._heard
        self._rest = b""
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._starts = 0
        self._news = asyncio.Event()
        self.board.present = self._seen

    def _heard(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.put_nowait(line + b"\n")

    def _seen(self, there: bool) -> None:
        self._starts += there
        self._news.set()

    async def restarted(self, times: int = 1) -> None:
        """Until the device has come back for the that-many-th time since the last look."""
        while self._starts < times:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), PATIENCE_S)
        self._starts = 0

    async def ask(self, query: str, within_s: float = PATIENCE_S) -> str:
        self.board.receive(query.encode() + b"\n")
        return (await asyncio.wait_for(self._lines.get(), within_s)).decode().strip()

    async def order(self, command: str) -> bytes:
        self.board.receive(sealed(command) + b"SYST:ERR?\n")
        return await asyncio.wait_for(self._lines.get(), PATIENCE_S)

    async def up(self) -> str:
        """Who it is, once it answers: what is said into the dark is lost, what was said is old."""
        while True:
            try:
                told = await self.ask("\n*IDN?", within_s=0.25)
            except TimeoutError:
                self._rest = b""
            else:
                if told.startswith("gansource,"):
                    return told

    async def settle(self) -> None:
        """Until nothing that was asked before can still be answered."""
        await self.up()
        await asyncio.sleep(0.3)
        while not self._lines.empty():
            self._lines.get_nowait()

    async def until_closed(self) -> None:
        self.board.set_interlock(closed=True)
        while await self.ask("INT?") != "1":
            await asyncio.sleep(0.02)

    async def light_up(self) -> None:
        """Again when the machine's other work delayed the board so much that it went dark."""
        await self.until_closed()
        while not self.board.world.laser_on:
            assert await self.order("LEAS 0") + await self.order("LEAS 250") == 2 * GOOD


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    await line.board.power_on()
    await line.restarted()
    await line.settle()
    yield line
    await line.board.power_off()
    assert line.board.complaints == b""


async def send(line: Line, files: Mapping[str, bytes]) -> None:
    for command in update(files):
        assert await line.order(command) == GOOD, command[:60]


async def test_no_byte_stops_it(line: Line) -> None:
    assert (await line.ask("*IDN?")).startswith("gansource,IO-1,")
    assert await line.ask("*CLS\n" + "\x03\x04\x01\x02\x05" * 20 + "\nSYST:ERR?") == (
        '-101,"Invalid character;03"'
    )
    line.board.receive(bytes(range(256)) * 4 + b"\n")
    await line.settle()
    assert await line.ask("*CLS\nGATE?") == "10"


async def test_light_ends_with_the_lease_though_the_processor_stands_still(line: Line) -> None:
    world = line.board.world
    for freeze in (False, True):
        await line.light_up()
        begun_s = world.laser_changed_s
        if freeze:
            line.board.freeze()
        await asyncio.sleep(2 * LEASE_S)
        assert not world.laser_on
        # A loop that the machine's other work delays too much ends it earlier, never later.
        assert world.laser_changed_s - begun_s <= LEASE_S + 1e-3


@pytest.mark.full
async def test_the_watchdog_bites_in_real_time(line: Line) -> None:
    line.board.freeze()
    await line.restarted()
    await line.settle()
    assert (await line.ask("LEAS?")).startswith("ENDED,0,WATCHDOG,")


async def test_pins_chips_and_gates_are_those_of_the_rig(line: Line) -> None:
    line.board.world.temperatures_c = [31.5, -4.25]
    line.board.world.source = lambda begin_s, end_s, _w: (round(1e5 * (end_s - begin_s)), 7, 1)
    assert await line.order("DAC 2,4711") == GOOD
    assert line.board.world.codes == [0, 0, 4711, 0]
    assert await line.ask("DAC? 2") == "4711"
    while await line.ask("TEMP?") != "31.500,-4.250":
        await asyncio.sleep(0.05)
    while not (newest := await line.ask("COUN?")).startswith("1000,7,1,10000,"):
        await asyncio.sleep(0.05)
    assert int(newest.split(",")[4]) > 2
    assert await line.ask("*TST?") == "0"


async def test_an_update_on_a_real_file_system(line: Line) -> None:
    """First one that is broken and gives way, then one that stays."""
    broken = newer("2.0.0")
    broken["wiring.py"] += b"\nimport nothing\n"
    await send(line, broken)
    await line.restarted(2)
    assert (await line.up()).endswith(f",{VERSION}")
    await line.settle()
    assert "ImportError" in await line.ask("SYST:FAUL?")
    await send(line, newer("2.0.0"))
    await line.restarted()
    assert (await line.up()).endswith(",2.0.0")
    await line.settle()
    assert (await line.ask("FIRM?")).startswith(f"B,TRIAL,{identity(newer('2.0.0'))},")
    assert await line.order("FIRM:CONF") == GOOD
    line.board.power_cycle()
    await line.restarted()
    assert (await line.up()).endswith(",2.0.0")


@pytest.mark.parametrize("times", [3, pytest.param(100, marks=ALL)])
async def test_the_power_may_go_at_any_instant_of_an_update(
    line: Line, rng: random.Random, times: int
) -> None:
    for _ in range(times):
        sending = asyncio.create_task(send(line, newer("2.0.0")))
        await asyncio.sleep(rng.random())
        line.board.power_cycle()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)  # how it ended tells nothing
        await line.restarted()
        assert (await line.up()).startswith("gansource,IO-1,")
        await line.settle()
        assert "(safe mode)" not in await line.ask("*IDN?")
        if (await line.ask("FIRM?")).split(",")[1] == "TRIAL":
            assert await line.order("FIRM:CONF") == GOOD
