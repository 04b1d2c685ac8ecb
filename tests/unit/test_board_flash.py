"""Firmware over the line to the real boot code: what is kept, what gives way, what is cut short."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from hil.emulators.io_board_flash import installed, slot_files
from optics.board_firmware import Firmware
from optics.board_flash import BACK_WITHIN_S, BoardFlash, Flashed, GivenUp
from optics.faults import DeviceLost
from optics.transports import memory_opener
from tests.boards import host
from tests.unit.board_bench import Bench

pytestmark = pytest.mark.clocks("jumping")

ALL = pytest.mark.full, pytest.mark.timeout(7200)


def firmware(number: str, **changed: Callable[[bytes], bytes]) -> Firmware:
    """The clone's under another version, spoilt or not."""
    files = host.newer(number)
    for name, change in changed.items():
        spoilt = change(files[f"{name}.py"])
        assert spoilt != files[f"{name}.py"]
        files[f"{name}.py"] = spoilt
    return Firmware(files, number)


NEW = firmware("2.0.0")


class Workshop(Bench):
    """A board that vanishes when it starts anew, and whoever flashes it."""

    def __init__(self, seed: int, files: Mapping[str, bytes] | None = None) -> None:
        super().__init__(seed, files)
        self.shares: list[float] = []
        self.emulator.present = self.seen

    def seen(self, there: bool) -> None:
        if there:
            self.port.replug()
        else:
            self.port.unplug()

    async def flash(self, new: Firmware) -> Flashed:
        board = BoardFlash(memory_opener(self.port.connect))
        try:
            return await board.flash(new, self.shares.append)
        finally:
            await board.aclose()

    def ask(self, query: str) -> str:
        return self.emulator.receive(query.encode() + b"\n").decode().strip()

    def running(self) -> tuple[str, str]:
        """Its version, and whether it is kept."""
        return self.ask("*IDN?").rpartition(",")[2], self.ask("FIRM?").split(",")[1]


@pytest.fixture
async def shop(seed: int) -> AsyncIterator[Workshop]:
    shop = Workshop(seed)
    await shop.start()
    yield shop
    await shop.stop()


async def test_new_firmware_is_tried_proven_and_kept(shop: Workshop) -> None:
    told = await shop.flash(NEW)
    assert (told.before, told.version, told.changed) == (host.VERSION, "2.0.0", True)
    assert (told.slot, told.identity, told.failing) == ("B", NEW.identity, ())
    assert shop.running() == ("2.0.0", "KEPT")
    assert shop.ask("FIRM?").split(",")[3] == host.identity(slot_files())  # the old is there
    assert shop.shares == sorted(shop.shares)
    assert shop.shares[-1] == 1.0
    shop.emulator.power_cycle()
    assert shop.running() == ("2.0.0", "KEPT")


async def test_what_runs_already_is_left_alone(shop: Workshop) -> None:
    writes = shop.emulator.flash.writes
    told = await shop.flash(firmware(host.VERSION + ".1"))
    assert told.changed
    told = await shop.flash(firmware(host.VERSION + ".1"))
    assert not told.changed
    assert shop.running() == (host.VERSION + ".1", "KEPT")
    assert shop.emulator.flash.writes > writes


SICK: dict[str, tuple[Firmware, str]] = {
    "fails at its start": (
        firmware("2.0.0", firmware=lambda t: t.replace(b"self._last_ms = uptime.ms()", b"1 / 0")),
        "ZeroDivisionError",
    ),
    "never answers": (
        firmware(
            "2.0.0",
            firmware=lambda t: t.replace(b"said = self._talker.receive(data)", b"said = b''"),
        ),
        "nobody confirmed it",
    ),
    "fails its self-test": (
        firmware("2.0.0", firmware=lambda t: t.replace(b"return str(failed)", b"return '16'")),
        "fails in light",
    ),
    "does not reach its DAC": (
        firmware("2.0.0", dac=lambda t: t.replace(b"return all(", b"return not all(")),
        "fails in DAC",
    ),
    "hangs in its self-test": (
        firmware("2.0.0", firmware=lambda t: t.replace(b"return str(failed)", b"1 / 0")),
        "self-test does not end well",
    ),
    "says it is another": (
        firmware("2.0.0", firmware=lambda t: t.replace(b'"2.0.0"', b'"3.0.0"')),
        "says it is 3.0.0",
    ),
}


@pytest.mark.parametrize("how", SICK)
async def test_what_is_not_healthy_gives_way_to_the_old(shop: Workshop, how: str) -> None:
    new, complaint = SICK[how]
    with pytest.raises(GivenUp, match=complaint):
        await shop.flash(new)
    assert shop.running() == (host.VERSION, "KEPT")
    assert (await shop.flash(NEW)).changed


async def test_what_failed_before_is_no_fault_of_the_new(shop: Workshop) -> None:
    """A board on a desk, without its thermometers."""
    shop.emulator.world.temperatures_c = [None, None]
    await asyncio.sleep(2)
    assert (await shop.flash(NEW)).failing == ("thermometers",)


async def test_a_board_without_firmware_takes_it_from_safe_mode(seed: int) -> None:
    boot_code = {name: text for name, text in installed().items() if not name.startswith("a/")}
    shop = Workshop(seed, boot_code)
    await shop.start()
    told = await shop.flash(NEW)
    assert told.before.startswith("boot ")
    assert shop.running() == ("2.0.0", "KEPT")
    await shop.stop()


async def test_a_trial_that_somebody_left_is_ended_first(shop: Workshop) -> None:
    flashing = asyncio.create_task(shop.flash(NEW))
    while "TRIAL" not in shop.ask("FIRM?"):
        await asyncio.sleep(0.05)
    flashing.cancel()
    await asyncio.wait({flashing})
    assert (await shop.flash(NEW)).changed
    assert shop.running() == ("2.0.0", "KEPT")


async def test_a_board_that_does_not_come_back_is_lost(shop: Workshop) -> None:
    shop.emulator.present = lambda _there: shop.port.unplug()
    begun_s = asyncio.get_running_loop().time()
    with pytest.raises(DeviceLost, match="did not come back"):
        await shop.flash(NEW)
    assert asyncio.get_running_loop().time() - begun_s < BACK_WITHIN_S + 20


async def cut_short(shop: Workshop, rng: random.Random) -> None:
    """The power goes, the cable is pulled, or whoever flashes it dies, somewhere on the way."""
    flashing = asyncio.create_task(shop.flash(firmware(f"2.0.{rng.randrange(100)}")))
    how = rng.choice(("power", "write", "cable", "host"))
    if how == "write":
        shop.emulator.flash.cut_in = rng.randrange(60)
    await asyncio.sleep(rng.uniform(0.0, 8.0))
    if how == "cable":
        shop.wire.cut()
    if how != "write":
        flashing.cancel()
    await asyncio.sleep(0.05)
    if how in ("power", "write"):
        shop.emulator.power_off()
        shop.emulator.flash.cut_in = None
    flashing.cancel()
    await asyncio.gather(flashing, return_exceptions=True)  # how it ended tells nothing
    if how in ("power", "write"):
        shop.emulator.power_on()
    shop.wire.mend()


@pytest.mark.parametrize("times", [12, pytest.param(100, marks=ALL)])
async def test_cut_short_anywhere_it_answers_and_takes_the_next(
    shop: Workshop, rng: random.Random, times: int
) -> None:
    ended = set()
    for _ in range(times):
        await cut_short(shop, rng)
        while "KEPT" not in shop.ask("FIRM?"):  # a trial that nobody confirms is over in a minute
            await asyncio.sleep(5)
        version, kept = shop.running()
        assert kept == "KEPT"
        assert shop.ask("*IDN?").startswith("gansource,IO-1,")
        assert "safe mode" not in shop.ask("*IDN?")
        ended.add(version)
    assert len(ended) > 1
    await shop.flash(NEW)
    assert shop.running() == ("2.0.0", "KEPT")
