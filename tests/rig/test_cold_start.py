"""From power-on to answers, on every door."""

from contextlib import AsyncExitStack

import pytest
import serial_asyncio

from hil.hosts import StreamHost
from hil.rig import WiredRig
from tests.rig.bench import Bench, tcp_host

both_clocks = pytest.mark.clocks("wall", "jumping")


@both_clocks
async def test_a_powered_rack_becomes_ready_by_itself_and_says_that_it_is_a_rig(
    bench: Bench,
) -> None:
    await bench.settle()
    maker, model, _serial, _version = (await bench.ask("*IDN?")).split(",")
    assert maker == "gansource"
    assert "emulated rig" in model
    assert await bench.errors() == '0,"No error"'


@both_clocks
async def test_moves_end_where_the_world_says_they_should(bench: Bench) -> None:
    """Told in metres with any multiplier; judged by the truth, within noise and window."""
    await bench.serve()
    for target_um in ((10.0, 20.0, 5.0), (150.5, 0.0, 199.9), (0.001, 200.0, 3.0)):
        await bench.move(*target_um)
        assert bench.rig.rack.stage.true_position_um() == pytest.approx(target_um, abs=0.02)
        assert await bench.stands_at_um() == pytest.approx(target_um, abs=0.02)
    assert await bench.errors() == '0,"No error"'


@both_clocks
async def test_what_may_not_be_is_refused_and_changes_nothing(bench: Bench) -> None:
    await bench.settle()
    await bench.tell("STAG:POS 1UM,2UM,3UM")
    assert (await bench.errors()).startswith('-221,"Settings conflict')
    await bench.serve()
    await bench.move(50, 50, 50)
    for offence, number in {
        "STAG:POS 201UM,2UM,3UM": -222,
        "STAG:POS 1UM,2UM": -109,
        "STAG:POS NAN,2UM,3UM": -222,
        "STAG:POS 1V,2UM,3UM": -131,
        "STAG:POSE 1UM,2UM,3UM": -113,
        "SYST:LAB 'two\nlines'": -151,
    }.items():
        await bench.tell(offence)
        assert (await bench.errors()).startswith(f"{number},"), offence
    assert bench.rig.rack.stage.true_position_um() == pytest.approx((50, 50, 50), abs=0.02)


async def test_a_host_on_the_serial_line_has_its_own_errors(bench: Bench) -> None:
    assert isinstance(bench.rig, WiredRig)
    async with AsyncExitStack() as stack:
        serial = StreamHost(
            *await serial_asyncio.open_serial_connection(url=bench.rig.scpi_serial, baudrate=115200)
        )
        stack.push_async_callback(serial.aclose)
        second = await tcp_host(stack, bench.tcp_address)
        await serial.tell("NONSENSE")
        assert (await serial.ask("SYST:ERR?")).startswith("-113")
        assert await second.ask("SYST:ERR?") == '0,"No error"'
        assert await bench.ask("SYST:ERR?") == '0,"No error"'
        assert await serial.ask("*IDN?") == await second.ask("*IDN?")


@both_clocks
async def test_opc_waits_for_the_move_and_plain_queries_do_not(bench: Bench) -> None:
    await bench.serve()
    await bench.move(0, 0, 0)
    await bench.tell("STAG:POS 150UM,0,0")
    assert await bench.ask("SOUR:STAT?") == "MOVING"
    assert await bench.ask("*OPC?") == "1"
    assert await bench.ask("SOUR:STAT?") == "SERVICE"
    assert bench.rig.rack.stage.true_position_um()[0] == pytest.approx(150, abs=0.02)


@both_clocks
async def test_the_travel_can_be_asked_and_what_was_read_at_its_end_sent_back(bench: Bench) -> None:
    await bench.serve()
    assert await bench.ask("STAG:POS? MIN;:STAG:POS? MAX") == "0.0,0.0,0.0;0.0002,0.0002,0.0002"
    for end in ("MIN", "MAX"):
        await bench.tell(f"STAG:POS {end},{end},{end}")
        await bench.ask("*OPC?")
        for _ in range(5):
            assert await bench.ask(f"STAG:POS {await bench.ask('STAG:POS?')};*OPC?") == "1"
    assert await bench.errors() == '0,"No error"'
    await bench.tell("STAG:POS 1UM,200.1UM,1UM")
    assert (await bench.errors()).startswith('-222,"Data out of range;y: ')
