"""Registers, masks and summaries as IEEE 488.2 chapter 11 and SCPI-99 chapter 9 have them."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.scpi_status import ErrorQueue, Registers, ScpiError, StandardEvent, Status

ERROR_BIT, QUESTIONABLE_BIT, MESSAGE_BIT, EVENT_BIT, MASTER_BIT, OPERATION_BIT = (
    4,
    8,
    16,
    32,
    64,
    128,
)


def status() -> Status:
    """One whose power-on has been told."""
    told = Status()
    told.take_events()
    return told


@pytest.mark.parametrize(
    ("number", "event"),
    [
        *[(-100, StandardEvent.COMMAND_ERROR), (-113, StandardEvent.COMMAND_ERROR)],
        *[(-200, StandardEvent.EXECUTION_ERROR), (-222, StandardEvent.EXECUTION_ERROR)],
        *[(-363, StandardEvent.DEVICE_ERROR), (-440, StandardEvent.QUERY_ERROR)],
    ],
)
def test_an_error_sets_the_bit_of_its_class(number: int, event: StandardEvent) -> None:
    told = status()
    told.report(ScpiError(number))
    assert told.take_events() == event
    assert told.take_events() == 0


def test_an_error_of_our_own_has_its_own_text_and_is_the_devices() -> None:
    error = ScpiError(101, "left\n\x80", text="Laser sag")
    assert (error.message, error.event) == ("Laser sag;left??", StandardEvent.DEVICE_ERROR)
    long = ScpiError(-113, 5000 * "x")
    assert (len(long.message), len(long.detail)) == (255, 255)
    assert ScpiError(-113, "A") == ScpiError(-113, "A") != ScpiError(-113, "B")


@given(st.lists(st.sampled_from([-113, -222, -363]) | st.none(), max_size=40))
def test_the_queue_keeps_the_oldest_and_ends_in_overflow(steps: list[int | None]) -> None:
    """None takes an error out, a number puts one in; a plain list says what must be there."""
    queue, expected = ErrorQueue(capacity=4), deque[int]()
    for number in steps:
        if number is None:
            assert queue.pop().number == (expected.popleft() if expected else 0)
        elif len(expected) < 4:
            assert queue.push(ScpiError(number))
            expected.append(number)
        else:
            assert not queue.push(ScpiError(number))
            expected[-1] = -350
        assert len(queue) == len(expected)
    assert [error.number for error in queue.drain()] == (list(expected) or [0])
    assert len(queue) == 0


def test_overflow_is_the_devices_error_and_the_lost_one_still_counts() -> None:
    told = Status(capacity=2)
    told.take_events()
    for number in (-113, -113, -222):
        told.report(ScpiError(number))
    event = StandardEvent.COMMAND_ERROR | StandardEvent.EXECUTION_ERROR | StandardEvent.DEVICE_ERROR
    assert told.take_events() == event


def test_a_queued_error_keeps_nothing_else_alive() -> None:
    queue = ErrorQueue()
    with pytest.raises(ScpiError) as caught:
        raise ScpiError(-113)
    queue.push(caught.value)
    assert queue.pop().__traceback__ is None


@pytest.mark.parametrize(
    ("rising", "falling", "event"), [(0b0100, 0, 0b0100), (0, 0b0001, 0b0001), (0b0011, 0b0110, 0)]
)
def test_changes_that_pass_a_filter_are_latched(rising: int, falling: int, event: int) -> None:
    registers = Registers(condition=0b0001)
    registers.rising, registers.falling = rising, falling
    registers.condition = 0b0100  # bit 2 rose, bit 0 fell
    registers.condition = 0b0100
    assert registers.condition == 0b0100
    assert registers.take_event() == event
    assert registers.take_event() == 0


def test_an_event_outlives_its_condition() -> None:
    registers = Registers()
    registers.condition = 8
    registers.condition = 0
    assert registers.take_event() == 8


@pytest.mark.parametrize("name", ["enable", "rising", "falling"])
def test_a_mask_out_of_range_keeps_the_old_value(name: str) -> None:
    registers = Registers()
    setattr(registers, name, 0xFFFF)
    assert getattr(registers, name) == 0x7FFF  # bit 15 is always 0
    setattr(registers, name, 5)
    for wrong in (-1, 0x10000):
        with pytest.raises(ScpiError) as caught:
            setattr(registers, name, wrong)
        assert caught.value.number == -222
        assert getattr(registers, name) == 5


@pytest.mark.parametrize(("name", "largest"), [("event_enable", 255), ("service_enable", 191)])
def test_the_masks_of_ieee_488_2_are_a_byte(name: str, largest: int) -> None:
    told = Status()
    setattr(told, name, 255)
    assert getattr(told, name) == largest
    with pytest.raises(ScpiError):
        setattr(told, name, 256)
    assert getattr(told, name) == largest


def test_summary_bits_follow_masks_changed_later() -> None:
    told = status()
    told.operation.condition = told.questionable.condition = 2
    told.record(StandardEvent.OPERATION_COMPLETE)
    assert told.byte(message_available=False) == 0
    told.operation.enable = told.questionable.enable = 2
    told.event_enable = 1
    summary = QUESTIONABLE_BIT | EVENT_BIT | OPERATION_BIT
    assert told.byte(message_available=False) == summary
    assert told.byte(message_available=True) == summary | MESSAGE_BIT
    told.service_enable = MESSAGE_BIT
    assert told.byte(message_available=False) == summary
    assert told.byte(message_available=True) == summary | MESSAGE_BIT | MASTER_BIT
    told.operation.enable = told.event_enable = 0
    assert told.byte(message_available=False) == QUESTIONABLE_BIT


def configured() -> Status:
    """Everything set: conditions, filters, masks, events, an error."""
    told = Status()
    for registers in (told.operation, told.questionable):
        registers.enable, registers.rising, registers.falling = 3, 5, 6
        registers.condition = 1
    told.event_enable, told.service_enable = 255, 4
    told.report(ScpiError(-113))
    return told


def test_preset_touches_masks_and_filters_alone() -> None:
    told = configured()
    told.preset()
    for registers in (told.operation, told.questionable):
        assert (registers.enable, registers.rising, registers.falling) == (0, 0x7FFF, 0)
        assert (registers.condition, registers.take_event()) == (1, 1)
    assert (told.event_enable, told.service_enable, len(told.errors)) == (255, 4, 1)
    assert told.take_events() == StandardEvent.POWER_ON | StandardEvent.COMMAND_ERROR


def test_clear_touches_events_and_errors_alone() -> None:
    told = configured()
    assert told.byte(message_available=False) == 4 | 8 | 32 | 64 | 128
    told.clear()
    assert told.byte(message_available=False) == 0
    assert (told.take_events(), len(told.errors)) == (0, 0)
    for registers in (told.operation, told.questionable):
        assert (registers.enable, registers.rising, registers.falling) == (3, 5, 6)
        assert (registers.condition, registers.take_event()) == (1, 0)
    assert (told.event_enable, told.service_enable) == (255, 4)


def test_service_is_asked_for_once_for_each_new_reason() -> None:
    told = status()
    told.service_enable = ERROR_BIT | MESSAGE_BIT
    assert not told.new_request(message_available=False)
    assert told.new_request(message_available=True)
    assert not told.new_request(message_available=True)
    told.report(ScpiError(-113))
    assert told.new_request(message_available=True)
    assert told.serial_poll(message_available=True) == ERROR_BIT | MESSAGE_BIT | MASTER_BIT
    assert told.serial_poll(message_available=True) == ERROR_BIT | MESSAGE_BIT
    told.clear()
    assert not told.new_request(message_available=False)
    assert told.new_request(message_available=True)
    assert told.serial_poll(message_available=False) == 0  # the reason went before it was told
