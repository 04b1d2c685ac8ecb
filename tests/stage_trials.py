"""What the PI stage driver is asked to do in each dialogue that it could have led as the host."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hil.emulators.pi_gcs_models import C863
from optics.devices import Identity
from optics.faults import DeviceFault
from optics.link import Patience
from optics.pi_stage import PiStage, PiStageSettings
from optics.quantities import StageBox, StagePoint
from optics.transports import memory_opener
from tests.transcript_player import Dialogue, Mismatch, ScriptedDevice

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
    device = ScriptedDevice(dialogue.exchanges, besides, list(AXES))
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
