"""Lasers on trial: units to play a dialogue to, and what the drivers are asked to do in it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from hil.emulators.cobolt import Cobolt, CoboltModel
from hil.emulators.laser_head import Trip
from hil.emulators.obis import Obis, ObisModel
from hil.emulators.serial_laser import SerialLaser
from optics.cobolt_laser import CoboltLaser
from optics.devices import Identity, Laser, LaserStatus
from optics.faults import DeviceFault
from optics.link import Patience
from optics.obis_laser import ObisLaser
from optics.transports import memory_opener
from tests.hand_clock import HandClock
from tests.transcript_player import Dialogue, Mismatch, Prepare, ScriptedDevice

COMMAND = re.compile(r"[^\r]*\r\n?")
LONG_ENOUGH_S = 120.0

Make = Callable[[HandClock, int], SerialLaser]


def cobolt(clock: HandClock, seed: int) -> SerialLaser:
    return Cobolt(CoboltModel(), clock, seed, lambda _at_s, _uw: None, clock.later)


def obis(clock: HandClock, seed: int) -> SerialLaser:
    return Obis(ObisModel(), clock, seed, lambda _at_s, _uw: None, clock.later)


def obis_405(clock: HandClock, seed: int) -> SerialLaser:
    model = ObisModel(identity="Coherent, Inc - OBIS 405nm 50mW C - V1.0.1 - Dec 14 2010")
    return Obis(model, clock, seed, lambda _at_s, _uw: None, clock.later)


def prepare(make: Make, dialogue: Dialogue, clock: HandClock, seed: int) -> SerialLaser:
    """A unit that has booted, brought into the state of `setup` by hand."""
    unit = make(clock, seed)
    words = dialogue.head.get("setup", "fresh").split("; ")
    clock.advance(unit.head.nature.boot_s + LONG_ENOUGH_S * ("warm" in words))
    by_hand: dict[str, Callable[[], None]] = {
        "dark": lambda: unit.head.ask(on=False),
        "fault": lambda: unit.head.trip(Trip.TEMPERATURE),
        "fresh": lambda: None,
        "interlock open": lambda: unit.head.switch_interlock(closed=False),
        "key off": lambda: unit.head.turn_key(on=False),
        "warm": lambda: None,
    }
    for word in words:
        by_hand[word]()
    return unit


PLAYED: Mapping[str, Prepare | None] = {
    "Cobolt 06-MLD": partial(prepare, cobolt),
    "OBIS": partial(prepare, obis),
    "OBIS 405": partial(prepare, obis_405),
}

COBOLT_BESIDES = {
    "": "Syntax error: illegal command\r\n",
    "glm?": "0488-06-01-0060-100\r\n",
    "gsn?": "17706\r\n",
    "gfv?": "1.2.3.4\r\n",
    "gmlp?": "60.0\r\n",
    "l?": "0\r\n",
    "p?": "0.0100\r\n",
    "pa?": "0.0000\r\n",
    "gom?": "6\r\n",
    "f?": "0\r\n",
    "ilk?": "0\r\n",
    **dict.fromkeys(("l0", "cp", "p", "cf", "@cob1"), "OK\r\n"),
}
OBIS_BESIDES = {
    "": "ERR-100\r\n",
    "*IDN?": "Coherent, Inc - OBIS 532nm 200mW C - V1.0.1 - Dec 14 2010\r\nOK\r\n",
    "SYST:INF:SNUM?": "AC0000532\r\nOK\r\n",
    "SYST:STAT?": "C8000008\r\nOK\r\n",
    "SYST:FAUL?": "00000001\r\nOK\r\n",
    "SOUR:POW:LIM:LOW?": "0.00005\r\nOK\r\n",
    "SOUR:POW:LIM:HIGH?": "0.22\r\nOK\r\n",
    "SOUR:POW:LEV?": "0.00000\r\nOK\r\n",
    "SOUR:POW:LEV:IMM:AMPL?": "0.01000\r\nOK\r\n",
    **dict.fromkeys(("SYST:COMM:HAND", "SYST:COMM:PROM", "SOUR:AM:STAT", "SOUR:AM:INT"), "OK\r\n"),
}


@dataclass(frozen=True)
class Trial:
    """What to ask of the driver, how many of the host's lines that is, and what must come out."""

    call: Callable[[Laser], Awaitable[object]]
    speaks: int
    outcome: object


async def session(laser: Laser) -> tuple[Identity, LaserStatus]:
    identity = await laser.connect()
    await laser.set_power(10_000.0)
    return identity, await laser.status()


async def identified(laser: Laser) -> Identity:
    return await laser.connect()


async def seen(laser: Laser) -> LaserStatus:
    await laser.connect()
    return await laser.status()


async def lit(laser: Laser) -> LaserStatus:
    """On, and seen to be."""
    await laser.connect()
    await laser.switch(on=True)
    return await laser.status()


async def once_on_and_off(laser: Laser) -> LaserStatus:
    seen_on = await lit(laser)
    await laser.switch(on=False)
    return seen_on


DARK = LaserStatus(emitting=False, set_uw=10_000.0, power_uw=0.0, ready=True, trouble="")


def dark(trouble: str) -> LaserStatus:
    return DARK._replace(ready=not trouble, trouble=trouble)


COBOLT_TRIALS = {
    "cobolt: a session in constant power mode, key switch off": Trial(
        session,
        7,
        (
            Identity("Cobolt", "0488-06-01-0060-100", "17706", "1.2.3.4"),
            dark("key switch is off"),
        ),
    ),
    "cobolt: laser on and off as the maker's client does it": Trial(
        once_on_and_off, 5, DARK._replace(emitting=True, power_uw=200_000.0)
    ),
    "cobolt: model number, by whose first digits the maker's client tells the wavelength": Trial(
        identified, 1, Identity("Cobolt", "0532-06-01-0200-100", "17706", "1.2.3.4")
    ),
    "cobolt: open interlock is fault 3": Trial(seen, 1, dark("interlock open")),
}
OBIS_TRIALS = {
    "obis: identity, with the handshake behind it": Trial(
        identified, 1, Identity("Coherent, Inc", "OBIS 405nm 50mW C", "AC0000532", "V1.0.1")
    ),
    "obis: key out, warm: standby": Trial(seen, 1, dark("key switch is off")),
    "obis: key out, warming up": Trial(seen, 1, dark("key switch is off")),
    "obis: key out, fault": Trial(seen, 1, dark("base plate temperature")),
    "obis: key turned early, warming up, not asked to emit": Trial(seen, 1, dark("warming up")),
    "obis: warm, key on, not asked to emit": Trial(seen, 1, DARK),
    "obis: asked to emit while it warms up": Trial(lit, 2, dark("warming up")),
    "obis: emitting": Trial(lit, 2, DARK._replace(emitting=True)),
    "obis: interlock open with the key in": Trial(seen, 1, dark("interlock open")),
    "obis: fault with the key in": Trial(seen, 1, dark("base plate temperature")),
}
TRIALS = COBOLT_TRIALS | OBIS_TRIALS


async def drive(dialogue: Dialogue) -> None:
    """The driver is the host; its lines must be those of the transcript, in their order."""
    trial = TRIALS[dialogue.title]
    besides = COBOLT_BESIDES if dialogue.title in COBOLT_TRIALS else OBIS_BESIDES
    device = ScriptedDevice(dialogue.exchanges, besides, says_the_same, COMMAND)
    driver = CoboltLaser if dialogue.title in COBOLT_TRIALS else ObisLaser
    laser: Laser = driver(memory_opener(device.connect), Patience())
    try:
        outcome = await trial.call(laser)
    except DeviceFault as fault:
        outcome = str(fault)
    finally:
        await laser.aclose()
    if device.played != trial.speaks or device.strays:
        raise Mismatch(f"{device.played} of {trial.speaks} lines said, besides {device.strays}")
    if outcome != trial.outcome:
        raise Mismatch(f"the driver made {outcome!r} of it, not {trial.outcome!r}")


def says_the_same(sent: list[str], written: list[str]) -> bool:
    """Word by word; a number may be written another way."""
    return [_value(word) for word in sent] == [_value(word) for word in written]


def _value(word: str) -> str | float:
    return float(word) if re.fullmatch(r"\d+\.?\d*", word) else word
