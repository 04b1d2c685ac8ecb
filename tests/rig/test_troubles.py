"""Cables, late answers, garbage, stuck axes: noticed, told, survived."""

import asyncio

import pytest

from tests.rig.bench import Bench

both_clocks = pytest.mark.clocks("wall", "jumping")


@both_clocks
async def test_a_cut_stage_cable_is_told_and_heals(bench: Bench) -> None:
    """SAFE within the time limits of one look, and back at work once the cable is back."""
    await bench.settle()
    loop = asyncio.get_running_loop()
    with bench.rig.wires["stage"].broken() as cut_s:
        await bench.reach("SAFE")
        assert loop.time() - cut_s < 0.1 + 0.3 + 0.2  # between two looks, one reply, our polling
        assert "stage" in await bench.ask("SOUR:FAUL?")
        assert await bench.ask("STAG:POS?") == "9.91E+37,9.91E+37,9.91E+37"
    await bench.settle()
    assert "no board" in await bench.ask("SOUR:FAUL?")
    assert await bench.errors() == '0,"No error"'


@both_clocks
async def test_a_stage_that_lost_its_power_is_taken_into_service_again(bench: Bench) -> None:
    await bench.serve()
    await bench.move(80, 80, 80)
    with bench.rig.wires["stage"].broken():
        bench.rig.rack.stage.power_cycle()
        await bench.reach("SAFE")
    await bench.serve()
    await bench.move(20, 30, 40)
    assert bench.rig.rack.stage.true_position_um() == pytest.approx((20, 30, 40), abs=0.02)


@both_clocks
async def test_a_cable_pulled_in_a_move_fails_that_move_and_says_so(bench: Bench) -> None:
    await bench.serve()
    await bench.tell("STAG:POS 190UM,190UM,190UM")
    assert await bench.ask("SOUR:STAT?") == "MOVING"
    with bench.rig.wires["stage"].broken():
        assert await bench.ask("*OPC?") == "1"
        assert (await bench.errors()).startswith("-241,")
    await bench.settle()


@both_clocks
async def test_stopping_in_the_middle_of_exchanges_does_not_lose_the_stage(bench: Bench) -> None:
    """Each stop cancels a caller of the link; what the next one hears must be its own."""
    for number in range(20):
        await bench.serve()
        await bench.tell(f"STAG:POS {10 * number}UM,{200 - 10 * number}UM,100UM")
        await asyncio.sleep(0.003 * number)
        await bench.tell("SYST:SERV OFF")
        await bench.settle()
        assert "no board" in await bench.ask("SOUR:FAUL?")
    at_um = bench.rig.rack.stage.true_position_um()
    assert await bench.stands_at_um() == pytest.approx(at_um, abs=0.02)


@both_clocks
async def test_a_late_answer_costs_a_reconnection_and_nothing_else(bench: Bench) -> None:
    """An answer that comes after its time limit must not be taken for the next one."""
    await bench.serve()
    for target_um in (40.0, 60.0, 80.0):
        await bench.move(target_um, target_um, target_um)
        bench.rig.wires["stage"].hold_next_answer(0.5)
        await bench.reach("SAFE")
        await bench.serve()
        assert await bench.stands_at_um() == pytest.approx([target_um] * 3, abs=0.02)


@both_clocks
async def test_a_noisy_line_costs_reconnections_and_moves_nothing(bench: Bench) -> None:
    """GCS has no checksum, so a read-out may be wrong for a while; the stage may not move."""
    await bench.serve()
    await bench.move(100, 100, 100)
    with bench.rig.wires["stage"].troubled(garble=0.01, drop=0.01):
        await bench.reach("SAFE")
        await asyncio.sleep(2)
        assert bench.rig.rack.stage.true_position_um() == pytest.approx([100] * 3, abs=0.02)
    await bench.settle()
    assert await bench.stands_at_um() == pytest.approx([100] * 3, abs=0.02)


@both_clocks
async def test_a_stuck_axis_is_reported_by_the_move_that_found_it(bench: Bench) -> None:
    """Sabotaged world: the check of every other move here is seen to fail."""
    await bench.serve()
    await bench.move(50, 50, 50)
    bench.rig.rack.stage.stick("2")
    await bench.move(60, 60, 60)
    assert (await bench.errors()).startswith("-240,")
    assert bench.rig.rack.stage.true_position_um() != pytest.approx((60, 60, 60), abs=0.02)
    assert "stage" in await bench.ask("SOUR:FAUL?")
    assert await bench.ask("SOUR:STAT?") == "SERVICE"


@both_clocks
async def test_a_stop_right_behind_a_move_always_wins(bench: Bench) -> None:
    await bench.serve()
    await bench.move(0, 0, 0)
    for stop in ("*RST", "SYST:SERV OFF"):
        assert await bench.ask("SYST:SERV ON;SERV?") == "1"
        await bench.tell(f"STAG:POS 150UM,150UM,150UM\n{stop}")
        await bench.settle()
        assert (await bench.errors()).startswith('-200,"Execution error;MOVE was ended by RESUME')
        assert max(bench.rig.rack.stage.true_position_um()) < 140


@pytest.mark.clocks("jumping")
async def test_wherever_in_a_move_the_stop_falls_the_place_told_is_true(bench: Bench) -> None:
    """From its first millisecond to well after its end, its last look included."""
    for number in range(250):
        await bench.serve()
        await bench.tell(f"STAG:POS {200 * (number % 2)}UM,100UM,100UM")
        await asyncio.sleep(0.0004 * number)
        told = await bench.ask("SYST:SERV OFF;*OPC?;:STAG:POS?")
        at_um = [float(m) * 1e6 for m in told.split(";")[1].split(",")]
        assert at_um == pytest.approx(bench.rig.rack.stage.true_position_um(), abs=0.02), number


@both_clocks
async def test_an_absent_stage_is_named_and_seen_in_the_status(bench: Bench) -> None:
    await bench.serve()
    assert await bench.ask("*CLS;:STAT:QUES:ENAB 4096;:STAT:QUES:COND?;:STAT:OPER:COND?") == "0;0"
    with bench.rig.wires["stage"].broken():
        await bench.reach("SAFE")
        assert await bench.ask("STAT:QUES:COND?;:STAT:OPER:COND?;*STB?") == "4096;0;24"
        for command in ("SYST:SERV ON", "STAG:POS 1UM,1UM,1UM"):
            await bench.tell(command)
            assert (await bench.errors()).startswith('-241,"Hardware missing;stage: ')
    await bench.serve()
    assert await bench.ask("STAT:QUES:COND?") == "0"
