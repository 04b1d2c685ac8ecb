"""PI stages on trial: units to play a dialogue to, and what the driver is asked to do in it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from hil.emulators.pi_gcs import PiGcs
from hil.emulators.pi_gcs_models import C863, C867, E727, E753, Model
from optics.devices import Identity
from optics.faults import DeviceFault
from optics.link import Patience
from optics.pi_stage import PiStage, PiStageSettings
from optics.quantities import StageBox, StagePoint
from optics.transports import memory_opener
from tests.hand_clock import HandClock
from tests.transcript_player import Dialogue, Mismatch, Prepare, ScriptedDevice

AXES = ("1", "2", "3")
ANYWHERE = StageBox(StagePoint(-2e6, -2e6, -2e6), StagePoint(2e6, 2e6, 2e6))
BESIDES = {
    "*IDN?": "(c)2015 Physik Instrumente (PI) GmbH & Co. KG, E-727, 115009227, 13.12.00.00\n",
    "ERR?": "0\n",
    "MOV": "",
    "ONT?": "1=1 \n2=1 \n3=1\n",
    "POS?": "1=1.0e1 \n2=2.0e1 \n3=5.0e0\n",
    "SAI?": "1 \n2 \n3\n",
    "SVO": "",
    "TMN?": "1=-1.0e4 \n2=-1.0e4 \n3=-1.0e4\n",
    "TMX?": "1=1.0e4 \n2=1.0e4 \n3=1.0e4\n",
}


COMMAND = re.compile(r"[\x05\x07\x18]|[^\n\x05\x07\x18]*\n")
READINGS = object()  # the numbers in the dialogue


@dataclass(frozen=True)
class Trial:
    """What to ask of the driver, how many of the host's lines that is, and what must come out."""

    call: Callable[[PiStage], Awaitable[object]]
    speaks: int
    outcome: object

    def agrees(self, outcome: object, dialogue: Dialogue) -> bool:
        """A fault is known by a part of its words."""
        if self.outcome is READINGS:
            return outcome == tuple(dialogue.readings)
        if isinstance(self.outcome, str):
            return isinstance(outcome, str) and self.outcome in outcome
        return outcome == self.outcome


def connecting(model: str, serial: str, firmware: str) -> Trial:
    """Who answers is told as it was read."""

    async def call(stage: PiStage) -> object:
        return (await stage.connect())[1:]

    return Trial(call, 1, Identity("", model, serial, firmware)[1:])


def refusing(model: str) -> Trial:
    """A controller that the driver does not know is refused by its name."""
    return Trial(lambda stage: stage.connect(), 1, model)


def moving(*um: float, speaks: int, outcome: object = None) -> Trial:
    async def call(stage: PiStage) -> None:
        await stage.connect()
        await stage.move_to(StagePoint(*um))

    return Trial(call, speaks, outcome)


async def place(stage: PiStage) -> StagePoint:
    await stage.connect()
    return await stage.position()


async def connected(stage: PiStage) -> None:
    await stage.connect()


async def halt(stage: PiStage) -> None:
    await stage.connect()
    await stage.halt()


# What is not named here, the driver never says; it judges the emulator alone.
TRIALS = {
    "identify: the manual's own example": connecting("E-727", "115009227", "13.12.00.00"),
    "identify: mnemonic in lower case, model with suffix": connecting(
        "E-727.3SDA", "119029437", "14.11.01.05"
    ),
    "identify: serial number with a leading zero": connecting("E-727", "0116044408", "13.21.00.09"),
    "identify: no space before the bracket, none after the commas": connecting(
        "C-863.11", "0", "1.3.0.7"
    ),
    "identify: C-663": connecting("C-663.11", "0", "1.2.1.0"),
    "identify: E-754": connecting("E-754.1CD", "117045756", "1.01"),
    "identify: E-753, no year at all": connecting("E-753.1CD", "111166712", "08.00.02.00"),
    "identify: E-873": refusing("E-873.1A1"),
    "identify: C-877 over the same wiring as an E-727": refusing("C-877.1U11"),
    "axes: one identifier per line, space before every line feed but the last": Trial(
        connected, 1, None
    ),
    "servo: commands are silent": Trial(connected, 2, None),
    "servo: three axes in one line": Trial(connected, 2, None),
    "position of all axes, exponent form with nine decimals": Trial(place, 1, READINGS),
    "position of all axes, negative values": Trial(place, 1, READINGS),
    "on target: all three axes": moving(10, 20, 5, speaks=1),
    "move and read back": moving(20, 20, 0, speaks=3),
    "several axes in one MOV, then the target": moving(
        17.3, 2.05, 5, speaks=2, outcome="is not at"
    ),
    "out of range: error 7, the target stays": moving(999, 20, 5, speaks=2, outcome="GCS error 7 "),
    "a line of which one part cannot be executed is not executed at all": moving(
        50, 999, 5, speaks=2, outcome="GCS error 7 "
    ),
    "move with the servo off: error 5": moving(10, 20, 5, speaks=2, outcome="GCS error 5 "),
    "stop with the single character: error 10 once": Trial(halt, 2, None),
    "move without reference: error 5 although the servo is on, and 0 when asked again": moving(
        5_000, 0, 0, speaks=2, outcome="GCS error 5 "
    ),
    "without reference the missing reference comes before the limit": moving(
        40_000, 0, 0, speaks=2, outcome="GCS error 5 "
    ),
    "referenced: a move beyond the limit gets error 7 and does not happen": moving(
        40_000, 0, 0, speaks=2, outcome="GCS error 7 "
    ),
}


async def drive(dialogue: Dialogue) -> None:
    """The driver is the host; its lines must be those of the transcript, in their order."""
    trial = TRIALS[dialogue.title]
    besides = BESIDES
    if dialogue.device == "C-863":
        besides = BESIDES | {"*IDN?": C863.identity + "\n"}
    device = ScriptedDevice(dialogue.exchanges, besides, says_the_same, COMMAND)
    stage = PiStage(memory_opener(device.connect), PiStageSettings(AXES, ANYWHERE), Patience())
    try:
        outcome = await trial.call(stage)
    except DeviceFault as fault:
        outcome = str(fault)
    finally:
        await stage.aclose()
    if device.played != trial.speaks or device.strays:
        raise Mismatch(f"{device.played} of {trial.speaks} lines said, besides {device.strays}")
    if not trial.agrees(outcome, dialogue):
        raise Mismatch(f"the driver made {outcome!r} of it, not {trial.outcome!r}")


def says_the_same(sent: list[str], written: list[str]) -> bool:
    """A driver's words against the transcript's.

    By the rules of MS249E, p. 116: a query without arguments is one for all axes, and a
    command may name more axes than one.
    """
    if not sent or not written or sent[0].upper() != written[0].upper():
        return False
    if sent[0].endswith("?"):
        return sent[1:] == (written[1:] or (sent[1:] and list(AXES)))
    mine = dict(zip(sent[1::2], map(float, sent[2::2]), strict=True))
    its = dict(zip(written[1::2], map(float, written[2::2]), strict=True))
    return mine.items() >= its.items()


def prepare(model: Model, dialogue: Dialogue, clock: HandClock, seed: int) -> PiGcs:
    """A unit brought into the state of `setup` by what a host can do."""
    setup = dialogue.head.get("setup", "fresh")
    words = {word.split()[0]: word.split()[1:] for word in setup.split("; ")}
    places = [float(place) for place in words.get("at", [])] or [0.0] * len(model.axes)
    servo_on = words.get("servo") == ["on"]
    axes = model.axes
    if "travel" in words:
        low, high = (float(end) * axes[0].um_per_unit for end in words["travel"])
        axes = tuple(replace(axis, low_um=low, high_um=high) for axis in axes)
    if "at" in words and not servo_on:
        axes = tuple(replace(axis, rest_um=at) for axis, at in zip(axes, places, strict=True))
    unit = PiGcs(replace(model, axes=axes), clock, seed)
    moves = " ".join(f"{axis.name} {at}" for axis, at in zip(axes, places, strict=True))
    lines = [f"SVO {axis.name} 1" for axis in axes] if servo_on else []
    lines += ["FRF"] if "referenced" in words else []
    lines += [f"MOV {moves}"] if servo_on and "at" in words and "unreferenced" not in words else []
    for line in lines:
        unit.receive(f"{line}\n".encode())
        clock.advance(30.0)
    assert unit.receive(b"ERR?\n") == b"0\n", f"setup failed: {lines}"
    return unit


ANALOGUE_INPUTS = {("1", "0x06000500"): "7", ("2", "0x06000500"): "3", ("3", "0x06000500"): "0"}
PLAYED: Mapping[str, Prepare | None] = {
    "E-727": partial(prepare, E727),
    "E-727 with analogue inputs": partial(prepare, replace(E727, parameters=ANALOGUE_INPUTS)),
    "E-753": partial(prepare, E753),
    "C-863": partial(prepare, C863),
    "C-867": partial(prepare, C867),
    "C-663": None,  # what is not emulated judges the driver alone
    "C-877": None,
    "C-885": None,
    "E-754": None,
    "E-873": None,
}
