"""Joins the chips of one board to the firmware; the pin numbers are `main.py`'s, but one."""

import machine
import rp2

from counts import Counts, Window
from dac import Dac
from firmware import Board
from lease import Interlock, Lease
from pio import COUNT, GATE, LEASE, MEET, STRETCH, load
from thermometer import Thermometer, Warmth

# State machines 0 to 3 share one block's 32 instructions, 4 to 7 the other's.
COUNT_A, COUNT_B, COUNT_BOTH, PACE, WIDEN, COINCIDE, LIGHT = range(7)
SPI_HZ, I2C_HZ = 10_000_000, 400_000
THERMOMETERS = (0x48, 0x49)
LENS = 4  # not known to boot code 1.0, which no update reaches


def board(uptime, slots, pins: dict, serial: str) -> Board:
    """The firmware on its pins, dark, with the gates running."""
    clock_hz = machine.freq()
    lease, interlock = _light(pins)
    counters, gate, phase, window = _counting(pins, clock_hz)
    return Board(
        {
            "lease": Lease(lease, clock_hz, slots.cause),
            "interlock": Interlock(interlock),
            "counts": Counts(counters, gate, phase, clock_hz, uptime),
            "window": window,
            "dac": _dac(pins),
            "warmth": _warmth(pins),
            "lens": machine.Pin(LENS, machine.Pin.OUT, value=0),
        },
        slots,
        uptime,
        serial,
    )


def _light(pins: dict) -> tuple:
    """The lease's state machine, and the interlock's pin."""
    interlock = machine.Pin(pins["interlock"], machine.Pin.IN, machine.Pin.PULL_DOWN)
    lease = rp2.StateMachine(
        LIGHT,
        load(LEASE),
        jmp_pin=interlock,
        sideset_base=machine.Pin(pins["laser"]),
    )
    lease.active(1)
    return lease, interlock


def _counting(pins: dict, clock_hz: int) -> tuple:
    """Three counters, the gate that paces them, its phase, and the coincidence window."""
    names = ("a", "b", "wide", "both", "phase")
    named = {name: machine.Pin(pins[name], machine.Pin.IN) for name in names}
    gate = rp2.StateMachine(PACE, load(GATE), sideset_base=named["phase"])
    stretch = rp2.StateMachine(WIDEN, load(STRETCH), in_base=named["b"], sideset_base=named["wide"])
    meet = rp2.StateMachine(
        COINCIDE,
        load(MEET),
        in_base=named["a"],
        jmp_pin=named["wide"],
        sideset_base=named["both"],
    )
    window = Window(stretch, meet, clock_hz)
    program = load(COUNT)
    counters = [
        rp2.StateMachine(number, program, in_base=named[name], jmp_pin=named["phase"])
        for number, name in ((COUNT_A, "a"), (COUNT_B, "b"), (COUNT_BOTH, "both"))
    ]
    for started in [stretch, meet] + counters:
        started.active(1)
    return counters, gate, named["phase"], window


def _dac(pins: dict) -> Dac:
    spi = machine.SPI(
        0,
        baudrate=SPI_HZ,
        polarity=0,
        phase=1,
        sck=machine.Pin(pins["sck"]),
        mosi=machine.Pin(pins["mosi"]),
        miso=machine.Pin(pins["miso"]),
    )
    return Dac(spi, machine.Pin(pins["select"], machine.Pin.OUT, value=1))


def _warmth(pins: dict) -> Warmth:
    i2c = machine.I2C(1, sda=machine.Pin(pins["sda"]), scl=machine.Pin(pins["scl"]), freq=I2C_HZ)
    return Warmth([Thermometer(i2c, address) for address in THERMOMETERS])
