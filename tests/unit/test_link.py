"""The link between a driver and its wire: in step, bounded, and back again, whatever happens."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from optics.faults import DeviceGarbled, DeviceLost
from optics.link import Link, Patience
from optics.transports import memory_opener

pytestmark = pytest.mark.clocks("jumping")

PATIENCE = Patience(reply_s=0.5, open_s=1.0, reply_bytes=200)


class EchoDevice:
    """Answers `n?` with `n`, as late and as oddly as it is told to."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.plugged = True
        self.late_s = 0.0
        self.connections = 0
        self._hang_up: Callable[[], None] = lambda: None

    def connect(self, arrived: Callable[[bytes], None], cut: Callable[[], None]) -> "EchoDevice":
        if not self.plugged:
            raise ConnectionRefusedError("unplugged")
        self._arrived, self._hang_up = arrived, cut
        self.connections += 1
        return self

    def write(self, data: bytes) -> None:
        for line in data.split(b"\n")[:-1]:
            self.heard.append(line)
            answer = line.rstrip(b"?") + b"\n"
            asyncio.get_running_loop().call_later(self.late_s, self.say, answer)

    def say(self, raw: bytes) -> None:
        self._arrived(raw)

    def close(self) -> None:
        """The far end does not mind."""

    def unplug(self) -> None:
        self.plugged = False
        self._hang_up()


@pytest.fixture
def device() -> EchoDevice:
    return EchoDevice()


async def link_to(device: EchoDevice) -> Link:
    link = Link("echo", memory_opener(device.connect), _single_line, PATIENCE)
    await link.open(b"hello?\n", knows=lambda reply: reply == [b"hello\n"])
    return link


def _single_line(line: bytes) -> bool:
    return not line.endswith(b" \n")


async def test_questions_are_answered_in_turn(device: EchoDevice) -> None:
    link = await link_to(device)
    device.late_s = 0.1
    questions = [b"%d?\n" % number for number in range(20)]
    replies = await asyncio.gather(*map(link.ask, questions))
    assert replies == [[b"%d\n" % number] for number in range(20)]


async def test_a_reply_in_pieces_and_of_several_lines_is_one_reply(device: EchoDevice) -> None:
    link = await link_to(device)
    asking = asyncio.create_task(link.ask(b""))
    for piece in (b"1=2", b".5 ", b"\n2", b"=3.5\n"):
        await asyncio.sleep(0.01)
        device.say(piece)
    assert await asking == [b"1=2.5 \n", b"2=3.5\n"]


async def test_a_cancelled_caller_does_not_shift_the_answers(device: EchoDevice) -> None:
    link = await link_to(device)
    device.late_s = 0.2
    for number in range(10):
        given_up = asyncio.create_task(link.ask(b"abandoned %d?\n" % number))
        await asyncio.sleep(0.05)
        given_up.cancel()
        assert await link.ask(b"wanted %d?\n" % number) == [b"wanted %d\n" % number]


async def test_a_late_answer_is_lost_and_never_given_to_the_next(device: EchoDevice) -> None:
    link = await link_to(device)
    device.late_s = 0.7
    with pytest.raises(DeviceLost, match=r"no answer to b'first\?"):
        await link.ask(b"first?\n")
    device.late_s = 0.3  # the first answer is still under way when the second hello is asked
    await link.open(b"hello?\n", knows=lambda reply: reply == [b"hello\n"])
    assert await link.ask(b"second?\n") == [b"second\n"]


async def test_late_answers_to_several_greetings_shift_nothing(device: EchoDevice) -> None:
    """The first is taken for one to the last; the others must not be taken for what is asked."""
    link = Link("echo", memory_opener(device.connect), _single_line, PATIENCE)
    asked_s = asyncio.get_running_loop().time()
    for answered_s in (2.3, 2.4, 2.5):
        device.late_s = asked_s + answered_s - asyncio.get_running_loop().time()
        opening = link.open(b"hello?\n", lambda reply: reply == [b"hello\n"])
        if answered_s < 2.5:
            with pytest.raises(DeviceLost):
                await opening
        else:
            await opening
    device.late_s = 0.3
    assert await link.ask(b"next?\n") == [b"next\n"]


async def test_half_an_answer_before_the_cut_does_not_stick_to_the_next(device: EchoDevice) -> None:
    link = await link_to(device)
    asking = asyncio.create_task(link.ask(b""))
    await asyncio.sleep(0.01)
    device.say(b"17.3")
    device.unplug()
    with pytest.raises(DeviceLost, match="wire is gone"):
        await asking
    device.plugged, device.late_s = True, 0.2
    opening = asyncio.create_task(link.open(b"hello?\n", lambda reply: reply == [b"hello\n"]))
    await asyncio.sleep(0.06)
    assert device.connections == 2
    device.say(b"56\n")  # the other half, before the greeting is answered
    await opening
    assert await link.ask(b"next?\n") == [b"next\n"]


async def test_several_old_answers_in_one_piece_are_thrown_away(device: EchoDevice) -> None:
    device.late_s = 0.2
    link = Link("echo", memory_opener(device.connect), _single_line, PATIENCE)
    opening = asyncio.create_task(link.open(b"hello?\n", lambda reply: reply == [b"hello\n"]))
    await asyncio.sleep(0.1)
    device.say(b"old\nolder\noldest\n")
    assert await opening == [b"hello\n"]


async def test_a_block_is_one_item_however_it_is_cut_and_whatever_it_holds(
    device: EchoDevice,
) -> None:
    def follows(line: bytes) -> int:
        return int(line[1:]) if line.startswith(b"#") else 0

    link = Link("echo", memory_opener(device.connect), _single_line, PATIENCE, follows)
    await link.open(b"hello?\n", knows=lambda reply: reply == [b"hello\n"])
    for block in (b"a\nb\n \n#7\n", b"\n"):
        said = b"#%d\n%s" % (len(block), block)
        for cut in range(len(said)):
            asking = asyncio.create_task(link.ask(b""))
            await asyncio.sleep(0.01)
            device.say(said[:cut])
            await asyncio.sleep(0.01)
            device.say(said[cut:])
            assert await asking == [b"#%d\n" % len(block), block]
    assert await link.ask(b"next?\n") == [b"next\n"]


async def test_a_block_longer_than_any_reply_is_refused(device: EchoDevice) -> None:
    link = Link("echo", memory_opener(device.connect), _single_line, PATIENCE, lambda _: 201)
    opening = asyncio.create_task(link.open(b"", knows=lambda reply: reply == [b"hello\n"]))
    await asyncio.sleep(0.01)
    device.say(b"#\n" + bytes(200))
    with pytest.raises(DeviceLost, match="more than 200 bytes"):
        await opening


async def test_who_speaks_uninvited_is_not_believed_further(device: EchoDevice) -> None:
    link = await link_to(device)
    device.say(b"boo\n")
    with pytest.raises(DeviceGarbled, match="out of turn"):
        await link.ask(b"1?\n")
    with pytest.raises(DeviceLost, match="not connected"):
        await link.ask(b"1?\n")


async def test_an_endless_reply_is_refused(device: EchoDevice) -> None:
    link = await link_to(device)
    asking = asyncio.create_task(link.ask(b""))
    await asyncio.sleep(0.01)
    for _ in range(10):
        device.say(b"more \n" * 10)
    with pytest.raises(DeviceGarbled, match="more than 200 bytes"):
        await asking


async def test_attempts_are_spaced_and_the_pause_is_bounded(device: EchoDevice) -> None:
    link = await link_to(device)
    device.unplug()
    loop, moments = asyncio.get_running_loop(), []
    for _ in range(12):
        with pytest.raises(DeviceLost, match="cannot be reached"):
            await link.open(b"hello?\n", knows=bool)
        moments.append(loop.time())
    pauses = [after - before for before, after in pairwise(moments)]
    assert pauses == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5])
    device.plugged = True
    await link.open(b"hello?\n", knows=bool)
    device.unplug()
    with pytest.raises(DeviceLost):
        await link.open(b"hello?\n", knows=bool)
    assert loop.time() - moments[-1] == pytest.approx(5.0), "a success forgets the pauses"


async def test_a_silent_device_is_lost_within_its_time_limit(device: EchoDevice) -> None:
    link = await link_to(device)
    device.late_s = 1e9
    asked_s = asyncio.get_running_loop().time()
    with pytest.raises(DeviceLost, match=r"within 0\.5 s"):
        await link.ask(b"anyone?\n")
    assert asyncio.get_running_loop().time() - asked_s == pytest.approx(0.5)


async def test_closing_tells_those_who_still_wait(device: EchoDevice) -> None:
    link = await link_to(device)
    device.late_s = 0.4
    asking = asyncio.create_task(link.ask(b"1?\n"))
    await asyncio.sleep(0.1)
    await link.aclose()
    with pytest.raises(DeviceLost, match="closed by us"):
        await asking


async def test_the_answer_to_the_greeting_may_arrive_in_one_piece_with_older_ones(
    device: EchoDevice,
) -> None:
    link = Link("echo", memory_opener(device.connect), _single_line, PATIENCE)
    opening = asyncio.create_task(link.open(b"hello?\n", knows=lambda it: it == [b"hello\n"]))
    while not device.connections:
        await asyncio.sleep(0)
    device.say(b"0\n7\n")
    assert await opening == [b"hello\n"]
    await link.aclose()
