"""A session with the real table, and toy operations in place of the controller."""

import asyncio
from typing import cast

import pytest

from controller.config import SourceConfig
from controller.scpi_access import Visitor
from controller.scpi_commands import TABLE, Instrument
from controller.scpi_common import Command
from controller.scpi_input import MOST_UNREAD
from controller.scpi_session import Session
from controller.scpi_tree import Tree
from controller.snapshot import Newsstand, Snapshot
from controller.states import State
from controller.wishes import Wishes
from optics.faults import DeviceLost

pytestmark = pytest.mark.clocks("jumping")


class Bench:
    """What a session says and whether it listens; `operations` are what TEST:WORK began."""

    def __init__(self) -> None:
        self.news = Newsstand(Snapshot())
        self.operations: list[asyncio.Future[None]] = []
        self.requests: list[int] = []
        table = TABLE | {"TEST:WORK": Command(self._work, "")}
        instrument = Instrument(SourceConfig(), self.news, cast(Wishes, None), Tree(table))
        self.said, self.listens = bytearray(), [True]
        self.has_unread = False
        self.session = Session(instrument, self, Visitor("bench"))

    def respond(self, response: bytes) -> None:
        self.said += response

    def flush(self) -> None:
        pass

    def listen(self, *, wanted: bool) -> None:
        self.listens.append(wanted)

    def request_service(self, status_byte: int) -> None:
        self.requests.append(status_byte)

    def _work(self, session: Session, _: object) -> None:
        self.operations.append(asyncio.get_running_loop().create_future())
        session.overlap(self.operations[-1])

    async def hears(self, message: str) -> str:
        """Everything said by the time nothing more happens."""
        self.said.clear()
        self.session.feed(message.encode())
        for _ in range(400):
            await asyncio.sleep(0)
        return self.said.decode()


async def test_units_of_one_message_answer_in_one_line() -> None:
    bench = Bench()
    assert await bench.hears("SYST:VERS?;:SYST:ERR:COUN?;*ESE 5;*ESE?\n") == "1999.0;0;5\n"


async def test_a_command_error_drops_the_rest_of_its_message_an_execution_error_does_not() -> None:
    bench = Bench()
    assert await bench.hears("*ESE?;NONSENSE;*SRE?\n") == "0\n"
    assert (await bench.hears("SYST:ERR?\n")).startswith("-113")
    assert await bench.hears("*ESE 256;*ESE?\n") == "0\n"
    assert (await bench.hears("SYST:ERR?\n")).startswith("-222")


async def test_surplus_and_missing_parameters_are_refused_and_nothing_is_answered() -> None:
    bench = Bench()
    for message, number in {"SYST:VERS? 1": -108, "*ESE": -109, "*CLS 1": -108}.items():
        assert await bench.hears(message + "\n") == ""
        assert (await bench.hears("SYST:ERR?\n")).startswith(f"{number},"), message


async def test_opc_query_holds_up_its_session_until_all_it_began_has_ended() -> None:
    bench = Bench()
    assert await bench.hears("TEST:WORK;WORK;*OPC?;*IDN?\n*ESE?\n") == ""
    bench.operations[1].set_result(None)
    assert await bench.hears("") == ""
    bench.operations[0].set_result(None)
    assert (await bench.hears("")).startswith("1;gansource,")
    assert bench.said.endswith(b"\n0\n")


async def test_opc_tells_the_event_register_and_holds_up_nobody() -> None:
    bench = Bench()
    assert await bench.hears("*CLS;TEST:WORK;*OPC;*ESR?\n") == "0\n"
    bench.operations[0].set_result(None)
    await bench.hears("")
    assert await bench.hears("*ESR?\n") == "1\n"


async def test_a_failed_operation_is_found_in_the_error_queue() -> None:
    bench = Bench()
    await bench.hears("TEST:WORK\n")
    bench.operations[0].set_exception(DeviceLost("stage", "unplugged"))
    answer = await bench.hears("*WAI;SYST:ERR?\n")
    assert answer == '-241,"Hardware missing;stage: unplugged"\n'


async def test_conditions_follow_the_snapshot_and_events_latch() -> None:
    bench = Bench()
    assert await bench.hears("STAT:OPER:COND?\n") == "0\n"
    bench.news.publish(state=State.READY)
    bench.news.publish(state=State.SAFE)
    assert await bench.hears("STAT:OPER:COND?;EVEN?;EVEN?\n") == "0;256;0\n"


async def test_a_host_that_sends_on_while_held_up_must_wait_too() -> None:
    bench = Bench()
    await bench.hears("TEST:WORK;*WAI\n")
    asked = MOST_UNREAD // 6 + 1
    await bench.hears("*ESE?\n" * asked)
    assert bench.listens[-1] is False
    bench.operations[0].set_result(None)
    assert (await bench.hears("")).count("0\n") == asked
    assert bench.listens[-1] is True


async def test_a_host_that_does_not_read_is_given_no_more() -> None:
    bench = Bench()
    bench.session.hold()
    assert await bench.hears("*ESE?\n") == ""
    bench.session.release()
    assert bench.said == b"0\n"


async def test_a_long_message_lets_others_have_their_turn() -> None:
    bench = Bench()
    turns: list[str] = []
    asyncio.get_running_loop().call_soon(turns.append, "someone else")
    bench.session.feed(b";".join([b"*ESE?"] * 1000) + b"\n")
    assert not bench.said, "it is not done in one go"
    assert (await bench.hears("")).count("0") == 1000
    assert turns


async def test_a_host_that_has_gone_costs_nothing_more() -> None:
    bench = Bench()
    await bench.hears("TEST:WORK;*OPC?\n*ESE?\n")
    bench.session.close()
    bench.operations[0].set_result(None)
    bench.news.publish(state=State.READY)
    assert await bench.hears("") == ""
