"""The dead man's switch: the product keeps the light, and the world says when it went out."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest

from controller.lease_keeper import LeaseKeeper
from tests.unit.board_bench import SETTINGS, Bench

pytestmark = pytest.mark.clocks("jumping")

ON_THE_WAY_S = 0.005  # what may come on top of the lease; the wire's delays are in it
LEASE_S = SETTINGS.lease_s
ALL = pytest.mark.full, pytest.mark.timeout(7200)


class Host(Bench):
    """A host with driver and keeper, lit; it can be stopped as operating systems stop one."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, too_fast=0.0, begun_s=0.0)
        self.keeper = LeaseKeeper(self.board, LEASE_S)
        self._reach_board = self.port.heard
        self._held: list[bytes] = []
        self.died_s = 0.0

    async def start(self) -> None:
        await super().start()
        await self.board.connect()
        await self.keeper.light()

    def kill(self, _rng: random.Random) -> None:
        """Nothing more is written; what has been is on its way."""
        self._die(lambda _data: None)

    def _die(self, heard: Callable[[bytes], None]) -> None:
        self.died_s, self.port.heard = asyncio.get_running_loop().time(), heard

    def kill_in_a_line(self, rng: random.Random) -> None:
        """The next write is its last, and only half done."""

        def write_half(data: bytes) -> None:
            self._reach_board(data[: rng.randrange(len(data))])
            self.kill(rng)

        self.port.heard = write_half

    def freeze(self, _rng: random.Random) -> None:
        """As SIGSTOP does; whatever it wanted to say waits."""
        self._die(self._held.append)

    def cut_cable(self, _rng: random.Random) -> None:
        self._die(self._reach_board)
        self.wire.cut()

    def freeze_board(self, _rng: random.Random) -> None:
        self._die(self._reach_board)
        self.emulator.frozen = True

    def thaw(self) -> None:
        """It goes on as if nothing had happened, renewals included."""
        self.port.heard = self._reach_board
        for data in self._held:
            self._reach_board(data)

    def renew_blindly(self, rng: random.Random) -> None:
        """Somebody who has not noticed writes on."""
        for _ in range(rng.randrange(1, 4)):
            self._held.append(b"LEAS 250 *B5A1521D\n")

    async def stop(self) -> None:
        self.thaw()
        self.wire.mend()
        self.emulator.power_off()
        await asyncio.gather(self.keeper.darken(), return_exceptions=True)  # nobody answers
        await super().stop()


FATES: dict[str, Callable[[Host, random.Random], None]] = {
    "killed": Host.kill,
    "killed in a line": Host.kill_in_a_line,
    "frozen": Host.freeze,
    "cable cut": Host.cut_cable,
    "board frozen": Host.freeze_board,
}


@pytest.fixture
async def host(seed: int) -> AsyncIterator[Host]:
    host = Host(seed)
    await host.start()
    yield host
    await host.stop()


@pytest.mark.parametrize("times", [60, pytest.param(1000, marks=ALL)])
async def test_whoever_dies_the_light_ends_with_the_lease(rng: random.Random, times: int) -> None:
    """And what a host that was frozen says afterwards lights nothing."""
    latest_s = 0.0
    for time in range(times):
        host = Host(seed=time)
        await host.start()
        await asyncio.sleep(0.5 + rng.random())
        assert host.lit()
        fate = rng.choice(list(FATES))
        FATES[fate](host, rng)
        await asyncio.sleep(0.4 + rng.random())
        world = host.emulator.world
        assert not host.lit()
        took_s = world.laser_changed_s - host.died_s
        assert took_s <= LEASE_S + ON_THE_WAY_S, (time, fate)
        latest_s = max(latest_s, took_s)
        dark_s = world.laser_changed_s
        if fate == "frozen":
            host.renew_blindly(rng)
            host.thaw()
            await asyncio.sleep(0.5)
        assert world.laser_changed_s == dark_s, (time, fate)
        await host.stop()
    assert latest_s > LEASE_S - 0.02


@pytest.mark.parametrize("hours", [0.1, pytest.param(24, marks=ALL)])
async def test_a_healthy_host_never_loses_its_light(host: Host, hours: float) -> None:
    """Renewed for so long, over a wire that cuts and delays, while gates are fetched as well."""
    await host.board.set_gate(0.1)
    begun_s, ends_s = host.emulator.world.laser_changed_s, 3600 * hours
    async with host.keeper.guarded():
        while asyncio.get_running_loop().time() < ends_s:
            await asyncio.sleep(1)
            await host.board.gates()
    assert host.lit()
    assert host.emulator.world.laser_changed_s == begun_s
