"""Every door at once: TLS and its roles, many hosts, and hosts that misbehave."""

import asyncio
import sqlite3
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

from controller.application import Whereabouts
from hil.hosts import StreamHost
from hil.rig import WiredRig
from hil.wires import Manners
from tests.hislip_client import Client
from tests.rig.bench import STAGE_ALONE, tcp_host

CERTIFICATES = Path(__file__).parents[1] / "certificates"
TLS = {
    "tls_port": 0,
    "tls_certificate": str(CERTIFICATES / "server.pem"),
    "tls_key": str(CERTIFICATES / "server.key"),
    "tls_clients": str(CERTIFICATES / "authority.pem"),
    "access": "serial=service cert:alice=operator cert:*=monitor 127.0.0.0/8=service",
}
HOSTS, EACH_ASKS = 64, 20


class House(AsyncExitStack):
    """The running controller, and the hosts that come to it."""

    found: Whereabouts

    async def tcp(self) -> StreamHost:
        return await tcp_host(self, self.found.scpi_tcp)

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self.found.scpi_tcp.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        self.push_async_callback(StreamHost(reader, writer).aclose)
        return reader, writer

    async def tls(self, who: str, authority: str = "authority") -> StreamHost:
        context = await asyncio.to_thread(client_context, who, authority)
        host, _, port = self.found.scpi_tls.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
        client = StreamHost(reader, writer)
        self.push_async_callback(client.aclose)
        return client


def client_context(who: str, authority: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=CERTIFICATES / f"{authority}.pem")
    if who:
        context.load_cert_chain(CERTIFICATES / f"{who}.pem", CERTIFICATES / f"{who}.key")
    return context


@asynccontextmanager
async def opened(data: Path, seed: int) -> AsyncIterator[House]:
    async with House() as house:
        rig = await house.enter_async_context(WiredRig(seed, Manners()))
        running = rig.controller(data, rig.config(scpi_port=0, scpi=TLS, **STAGE_ALONE))
        house.found = await house.enter_async_context(running)
        yield house


@pytest.fixture
async def house(tmp_path: Path, seed: int) -> AsyncIterator[House]:
    async with opened(tmp_path, seed) as running:
        yield running


async def test_a_certificate_says_who_may_do_what(house: House) -> None:
    alice, bob = await house.tls("alice"), await house.tls("bob")
    assert await alice.ask("OUTP OFF;OUTP?;:SYST:ERR?") == '0;0,"No error"'
    assert await bob.ask("OUTP ON;OUTP?") == "0"
    assert await bob.ask("SYST:ERR?") == '-203,"Command protected;OUTP: for operator only"'
    await alice.tell("SYST:SERV ON")
    assert (await alice.ask("SYST:ERR?")).startswith("-203,")
    assert (await alice.ask("SYST:LOCK:REQ?;OWN?")).startswith('1;"alice:')


async def test_a_refusal_is_in_the_audit_before_it_is_told(tmp_path: Path, seed: int) -> None:
    async with opened(tmp_path, seed) as house:
        bob = await house.tls("bob")
        await bob.tell("OUTP OFF")
        assert (await bob.ask("SYST:ERR?")).startswith("-203,")
    [(who, what)] = await asyncio.to_thread(audited, tmp_path)
    assert who.startswith("bob:")
    assert what == "refused OUTP: not operator"


def audited(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "gansource.sqlite")) as store:
        return list(store.execute("SELECT who, what FROM audit"))


@pytest.mark.parametrize("who", ["", "stranger"])
async def test_without_a_certificate_of_ours_there_is_no_conversation(
    house: House, who: str
) -> None:
    async def talk() -> None:
        await (await house.tls(who)).ask("*IDN?")

    with pytest.raises((OSError, EOFError)):
        await talk()
    assert await (await house.tls("alice")).ask("*ESE?") == "0"


async def test_the_instrument_proves_who_it_is(house: House) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await house.tls("alice", authority="stranger")


async def test_sixty_four_hosts_each_have_their_own_registers_and_answers(house: House) -> None:
    hosts = [await house.tcp() for _ in range(HOSTS)]

    async def talk(number: int, host: StreamHost) -> None:
        await host.tell(f"*ESE {number}")
        for _ in range(EACH_ASKS):
            assert await host.ask("*ESE?") == str(number)
        await host.tell(number * "X")
        assert (await host.ask("SYST:ERR:COUN?")) == str(int(number > 0))

    await asyncio.gather(*(talk(number, host) for number, host in enumerate(hosts)))


async def test_who_floods_and_does_not_read_costs_nobody_else_an_answer(house: House) -> None:
    """Each sends far more than is answered before it must read; none is ever read."""
    floods = [await house.raw() for _ in range(10)]
    for _, writer in floods:
        writer.write(b"SYST:HELP:HEAD?\n" * 20_000)
    polite = await house.tcp()
    for _ in range(50):
        assert await polite.ask("*ESE?") == "0"


async def test_half_messages_and_vanished_peers_leave_nothing_behind(house: House) -> None:
    for half in (b"*ESE 7;*ES", b'SYST:LAB "half', b"SITE:IMP #9000001000half", 100_000 * b"X"):
        _, writer = await house.raw()
        writer.write(half)
        await writer.drain()
        writer.transport.abort()
    host = await house.tcp()
    assert await host.ask("*ESE?;:SYST:LAB?;ERR?") == '0;"";0,"No error"'


async def test_a_lock_ends_with_its_connection(house: House) -> None:
    first, second = await house.tcp(), await house.tcp()
    assert await first.ask("SYST:LOCK:REQ?") == "1"
    assert await second.ask("SYST:LOCK:REQ?;:OUTP?") == "0;1"
    await second.tell("OUTP OFF")
    assert (await second.ask("SYST:ERR?;:OUTP?")).startswith('-203,"Command protected;OUTP: locked')
    await first.aclose()
    while await second.ask("SYST:LOCK:OWN?") != '"NONE"':
        await asyncio.sleep(0.01)
    assert await second.ask("OUTP OFF;OUTP?") == "0"


async def test_hislip_and_tcp_show_one_instrument_and_two_sessions(house: House) -> None:
    stream, hislip = await house.tcp(), await Client.open(house.found.scpi_hislip)
    house.push_async_callback(hislip.aclose)
    assert await stream.ask("SYST:LAB 'shared';*OPC?") == "1"
    assert await hislip.ask("SYST:LAB?;*ESE 3;*ESE?") == '"shared";3'
    assert await stream.ask("*ESE?") == "0"
    assert await hislip.ask("SYST:ERR:COUN?") == "0"
