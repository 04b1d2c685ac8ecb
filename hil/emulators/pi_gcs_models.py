"""Controllers of Physik Instrumente as data: dialect, stage and figures of each.

Where no source is named a figure belongs to the stage, of which there are many, and not to
the dialect; "unconfirmed" marks dialect that no manual page or capture shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hil.motion import AxisNature

EVERYWHERE = (
    "#5 #7 #24 *IDN? CSV? ERR? HLP? MOV MOV? MVR ONT? POS? RBT SAI? SPA? STP SVO SVO? "
    "TMN? TMX? VEL VEL?"
)
# HLT: one client of an E-727 sends it, another (EPICS motor, 2019) says that no E-727 knows it.
PIEZO = tuple(sorted(f"{EVERYWHERE} ATZ ATZ? IDN? OVF? SVA SVA? SVR".split()))
MOTOR = tuple(sorted(f"{EVERYWHERE} FNL FPL FRF FRF? HLT POS RON RON?".split()))


@dataclass(frozen=True)
class AxisModel:
    """One axis with its stage, speeds in µm/s.

    A piezo has an absolute sensor and an open loop; a motor has friction and wants a reference.
    """

    name: str
    nature: AxisNature
    low_um: float
    high_um: float
    rest_um: float
    piezo: bool = True
    switch_um: float = 0.0
    speed: float = 5_000.0
    highest_speed: float = 20_000.0
    window_um: float = 0.01
    settling_s: float = 0.01
    autozero_s: float = 5.0  # an S-335 takes a minute
    um_per_unit: float = 1.0
    form: str = ".9e"


@dataclass(frozen=True)
class Model:
    """A controller with its axes."""

    identity: str
    axes: tuple[AxisModel, ...]
    commands: tuple[str, ...]
    startup_s: float
    line_limit: int = 256  # unconfirmed: only the error for it is listed
    parameters: Mapping[tuple[str, str], str] = field(default_factory=dict)


SCANNER = AxisNature(low_um=-20.0, high_um=220.0)
MOTOR_STAGE = AxisNature(low_um=-500.0, high_um=39_500.0, lag_s=0.01, noise_um=0.0)
ULTRASONIC_STAGE = AxisNature(low_um=-13_000.0, high_um=13_000.0, lag_s=0.01, noise_um=0.0)


def _scanner(name: str, rest_um: float) -> AxisModel:
    return AxisModel(name, SCANNER, 0.0, 200.0, rest_um)


def _ultrasonic(name: str) -> AxisModel:
    return AxisModel(
        *(name, ULTRASONIC_STAGE, -12_500.0, 12_500.0, -4_000.0),
        piezo=False,
        speed=10_000.0,
        highest_speed=100_000.0,
        window_um=0.5,
        um_per_unit=1_000.0,
        form=".5f",  # unconfirmed
    )


E727 = Model(
    identity="(c)2015 Physik Instrumente (PI) GmbH & Co. KG, E-727, 115009227, 13.12.00.00",
    # The places are those an E-727.3CDA with a P-562.3CD once answered.
    axes=(_scanner("1", 3.708969), _scanner("2", -12.232155), _scanner("3", -5.284927)),
    commands=PIEZO,
    startup_s=10.0,  # back on USB about 10 s after RBT
)

E753 = Model(
    identity="Physik Instrumente, E-753.1CD, 111166712, 08.00.02.00",
    axes=(replace(_scanner("1", -8.5), form=".8e"),),
    commands=PIEZO,
    startup_s=10.0,
)

C863 = Model(
    identity="(c)2013 Physik Instrumente(PI) Karlsruhe, C-863.11,0,1.3.0.7",
    axes=(
        AxisModel(
            *("1", MOTOR_STAGE, 0.0, 39_000.0, 11_000.0),
            piezo=False,
            switch_um=19_500.0,
            speed=15_000.0,
            highest_speed=50_000.0,
            window_um=0.5,
            um_per_unit=1_000.0,
            form=".5f",
        ),
    ),
    commands=MOTOR,
    startup_s=2.0,
)

C867 = Model(
    identity="(c)2013 Physik Instrumente(PI) Karlsruhe, C-867.2U2,0,1.2.1.0",  # unconfirmed
    axes=(_ultrasonic("1"), _ultrasonic("2")),
    commands=MOTOR,
    startup_s=0.2,
    parameters={("1", "0x07000601"): "MM", ("2", "0x07000601"): "MM"},
)
