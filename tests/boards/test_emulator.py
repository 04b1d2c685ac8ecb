"""The emulated board in the event loop: its light, its lives, its updates."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest

from hil.emulators.io_board import RESTART_S, IoBoard
from hil.emulators.io_board_flash import installed, manifest, slot_files
from hil.eventlog import EventLog
from hil.ports import MemoryFarEnd, MemoryPort
from hil.wires import Manners, Wire
from tests.boards.host import GOOD, VERSION, identity, newer, sealed, update

pytestmark = pytest.mark.clocks("jumping")

LEASE_S, RENEW_S = 0.25, 0.1
KIND = Manners()
ON_THE_WAY_S = 0.005  # what contracts allow on top of the lease; the wire's delays are in it


@pytest.fixture
async def board() -> AsyncIterator[IoBoard]:
    """Powered up, with the door closed for long enough."""
    board = IoBoard(asyncio.get_running_loop().time)
    board.power_on()
    board.set_interlock(closed=True)
    await asyncio.sleep(0.2)
    yield board
    board.power_off()


def ask(board: IoBoard, query: str) -> str:
    return board.receive(query.encode() + b"\n").decode().strip()


def order(board: IoBoard, *commands: str) -> bytes:
    """What the board says of the commands, together."""
    return b"".join(board.receive(sealed(command) + b"SYST:ERR?\n") for command in commands)


def light_up(board: IoBoard) -> None:
    assert order(board, "LEAS 0", "LEAS 250") == 2 * GOOD
    assert board.world.laser_on


async def test_light_ends_by_itself_and_everybody_is_told(board: IoBoard) -> None:
    told: list[tuple[float, bool]] = []
    board.world.lit = lambda at_s, lit: told.append((at_s, lit))
    light_up(board)
    begun_s = board.world.laser_changed_s
    await asyncio.sleep(1)
    assert told == [(begun_s, True), (pytest.approx(begun_s + LEASE_S, abs=1e-6), False)]
    assert ask(board, "LEAS?").startswith("ENDED,0,EXPIRED,")


async def test_the_interlock_needs_no_firmware(board: IoBoard) -> None:
    light_up(board)
    board.frozen = True
    board.set_interlock(closed=False)
    assert not board.world.laser_on


async def test_gates_that_nobody_could_read_are_not_counted(board: IoBoard) -> None:
    asked: list[float] = []

    def source(begin_s: float, _end_s: float, _window_s: float) -> tuple[int, int, int]:
        asked.append(begin_s)
        return 7, 8, 9

    board.world.source = source
    board.frozen = True
    await asyncio.sleep(1.0)
    board.frozen, since_s = False, asyncio.get_running_loop().time()
    await asyncio.sleep(0.2)
    assert sum(begin_s < since_s - 0.1 for begin_s in asked) == 0
    newest = int(ask(board, "COUN?").split(",")[4])
    told = [record.split(",") for record in ask(board, f"COUN? {newest - 7}").split(";")]
    assert {tuple(record[:4]) for record in told} == {("7", "8", "9", "10000")}


async def test_a_frozen_board_is_dark_within_its_lease_and_starts_anew(board: IoBoard) -> None:
    there: list[bool] = []
    board.present = there.append
    light_up(board)
    board.frozen = True
    assert ask(board, "*IDN?") == ""
    await asyncio.sleep(LEASE_S + ON_THE_WAY_S)
    assert not board.world.laser_on
    await asyncio.sleep(8)
    assert there == [False]
    await asyncio.sleep(RESTART_S)
    assert there == [False, True]
    assert ask(board, "LEAS?").startswith("ENDED,0,WATCHDOG,")
    assert ask(board, "WATC?").startswith("WATCHDOG,2,")


async def test_clicks_are_counted_once(board: IoBoard) -> None:
    total = 0

    def clicks(begin_s: float, end_s: float, _window_s: float) -> tuple[int, int, int]:
        nonlocal total
        total += (number := round(1e4 * (end_s - begin_s)))
        return number, 0, 0

    board.world.source = clicks
    order(board, "GATE 20")
    await asyncio.sleep(0.1)
    first = int(ask(board, "COUN?").split(",")[4])
    begun = total
    await asyncio.sleep(0.4)
    asked = [ask(board, f"COUN? {first + later}") for later in (1, 9, 17)]
    records = [record.split(",") for answer in asked for record in answer.split(";")]
    numbers = [int(record[4]) for record in records]
    assert numbers == list(range(first + 1, first + 1 + len(numbers)))
    assert sum(int(record[0]) for record in records) == total - begun >= 3800


async def test_an_update_takes_over_when_it_is_confirmed(board: IoBoard) -> None:
    assert set(order(board, *update(newer("2.0.0"))).splitlines(keepends=True)) == {GOOD}
    assert ask(board, "*IDN?").endswith(f",{VERSION}")
    await asyncio.sleep(0.5 + RESTART_S)
    assert ask(board, "*IDN?").endswith(",2.0.0")
    assert ask(board, "FIRM?").startswith(f"B,TRIAL,{identity(newer('2.0.0'))},")
    await asyncio.sleep(1)
    assert ask(board, "*TST?") == "0"
    assert order(board, "FIRM:CONF") == GOOD
    board.power_cycle()
    assert ask(board, "*IDN?").endswith(",2.0.0")


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "is no Python": lambda text: text + b"def\n",
    "imports what is not there": lambda text: b"import nothing\n" + text,
    "fails at its start": lambda text: text.replace(b"self._last_ms = uptime.ms()", b"1 / 0"),
    "fails in its loop": lambda text: text.replace(b"now_ms = self._uptime.ms()", b"1 / 0"),
    "never answers": lambda text: text.replace(b"said = self._talker.receive(data)", b"said = b''"),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_firmware_that_does_not_come_up_gives_way_to_the_old(
    board: IoBoard, how: str
) -> None:
    files = newer("2.0.0")
    broken = BROKEN[how](files["firmware.py"])
    assert broken != files["firmware.py"]
    order(board, *update(files | {"firmware.py": broken}))
    await asyncio.sleep(65)
    assert ask(board, "*IDN?").endswith(f",{VERSION}")
    assert ask(board, "FIRM?").startswith("A,KEPT,")
    assert ask(board, "SYST:FAUL?").startswith('"slot b given up: ')


async def test_a_boot_loop_ends_in_safe_mode_which_takes_firmware() -> None:
    looping = slot_files()
    looping["wiring.py"] += b"\n1 / 0\n"
    files = installed() | {f"a/{name}": text for name, text in looping.items()}
    board = IoBoard(
        asyncio.get_running_loop().time, files=files | {"a/manifest": manifest(looping)}
    )
    board.power_on()
    await asyncio.sleep(2.5 * RESTART_S)
    assert ask(board, "*IDN?") == ""
    await asyncio.sleep(2 * RESTART_S)
    assert "(safe mode)" in ask(board, "*IDN?")
    assert "ZeroDivisionError" in ask(board, "SYST:FAUL?")
    assert set(order(board, *update(newer("2.0.0"))).splitlines(keepends=True)) == {GOOD}
    await asyncio.sleep(0.5 + RESTART_S)
    assert ask(board, "*IDN?").endswith(",2.0.0")
    board.power_off()


async def test_the_power_may_go_at_every_write_of_an_update(board: IoBoard) -> None:
    """Also at those of the first start and of the confirmation."""
    ended: list[str] = []
    cut = True
    while cut:
        board.flash.files = installed() | {"b/old.py": b"", "b/manifest": b""}
        board.power_cycle()
        board.flash.cut_in = len(ended)
        order(board, *update(newer("2.0.0")))
        await asyncio.sleep(0.5 + RESTART_S)
        order(board, "FIRM:CONF")
        cut = board.flash.cut_in is None
        board.flash.cut_in = None
        for _ in range(2):
            board.power_cycle()
            assert ask(board, "*IDN?").startswith("gansource,IO-1,"), len(ended)
        assert ask(board, "FIRM?").split(",")[1] == "KEPT"
        ended.append(ask(board, "*IDN?").rpartition(",")[2])
    assert ended == sorted(ended)
    assert set(ended) == {VERSION, "2.0.0"}
    assert len(ended) > 20


class Host:
    """Renews the lease as long as it lives, over a wire like any other."""

    def __init__(self, seed: int, manners: Manners = KIND) -> None:
        loop = asyncio.get_running_loop()
        self.board = IoBoard(loop.time)
        self.port = MemoryPort("board")
        self.wire = Wire("board", self.port, self.board, seed, manners, EventLog(loop.time))
        self.sent_s = 0.0
        self._end: MemoryFarEnd | None = None
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.port.open()
        self.board.power_on()
        self.board.set_interlock(closed=True)
        self._end = self.port.connect(lambda _data: None, lambda: None)
        await asyncio.sleep(0.2)
        self.write("LEAS 0")
        self._work = asyncio.create_task(self.renew())

    def write(self, command: str) -> None:
        if self._end:
            self._end.write(sealed(command))

    async def renew(self) -> None:
        while True:
            self.sent_s = asyncio.get_running_loop().time()
            self.write("LEAS 250")
            await asyncio.sleep(RENEW_S)

    async def die(self) -> None:
        if self._work:
            self._work.cancel()
            await asyncio.wait({self._work})

    async def stop(self) -> None:
        await self.die()
        self.wire.close()
        self.board.power_off()


async def test_the_same_seed_gives_the_same_run(seed: int) -> None:
    loop = asyncio.get_running_loop()
    digests = []
    for run_seed in (seed, seed, seed + 1):
        host = Host(run_seed, Manners(garble=0.01, drop=0.01))
        begun_s = loop.time()
        host.wire.log = EventLog(lambda begun_s=begun_s: loop.time() - begun_s)  # type: ignore[misc]
        await host.start()
        await asyncio.sleep(20)
        await host.stop()
        digests.append(host.wire.log.sha256)
    assert digests[0] == digests[1] != digests[2]
