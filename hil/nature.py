"""What the world is like: every figure that may be chosen, with its unit and its default.

Where a comment names no source, the figure is common practice and no measured value.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ChipNature:
    """The crystal and the emitters in it."""

    width_um: float = 500.0
    sites_per_um2: float = 0.02
    pair_share: float = 0.04
    pair_apart_um: tuple[float, float] = (0.05, 0.45)
    cluster_share: float = 0.04
    cluster_members: tuple[int, int] = (3, 10)
    cluster_radius_um: float = 0.2
    depth_sigma_um: float = 0.12
    deep_share: float = 0.1  # of the emitters, evenly spread over twice `deep_um`
    deep_um: float = 1.0
    saturated_cps: float = 427e3  # both detectors together; Berhane, PRB 97, 165202 (2018)
    saturated_sd_cps: float = 215e3
    saturation_uw: float = 1300.0  # pump in the focus, polarised along the dipole
    saturation_sd_uw: float = 700.0
    lifetime_ns: tuple[float, float] = (1.0, 4.0)
    shelved: tuple[float, float] = (0.0, 0.6)  # dark over bright time at full saturation
    shelf_ns: tuple[float, float] = (30.0, 2000.0)  # one stay in the third level
    dipole_step_deg: float = 30.0  # crystal directions; Geng, arXiv:2306.17339
    dipole_spread_deg: float = 5.0
    dipole_visibility: tuple[float, float] = (0.85, 1.0)
    wavelength_nm: tuple[float, float] = (602.0, 712.0)  # Geng, Sci. Rep. 13, 8678 (2023)
    line_fwhm_nm: tuple[float, float] = (3.0, 8.0)
    blinker_share: float = 0.1
    blink_off_hz: float = 4.0  # at full saturation; Berhane, PRB 96, 041203: power activates it
    blink_on_hz: float = 10.0
    jumper_share: float = 0.1
    jumps_per_h: float = 2.0
    jump_mev: float = 22.0  # largest; arXiv:2501.05546
    at_home: float = 0.7  # share of jumps that end on the original line
    bleach_per_h: float = 1e-5
    background_cps_per_uw: float = 16.0  # signal over background 10 for a mean one at saturation
    unevenness: float = 0.2  # rms of the fluorescence, on scales of `uneven_um`
    uneven_um: tuple[float, float] = (6.0, 60.0)
    dislocations: int = 20
    dislocation_um: tuple[float, float] = (20.0, 150.0)
    dislocation_glow: float = 2.0  # over the mean fluorescence
    dislocation_width_um: float = 0.25
    bullseye_share: float = 0.0  # of the emitters; rings and more light, Meunier (2023)
    bullseye_gain: float = 4.0
    cross_pitch_um: float = 0.0  # crosses made by lithography on this grid; 0 is none
    mark_glow: float = 6.0


@dataclass(frozen=True)
class OpticsNature:
    """The objective, what lies behind it, and the two ways to light the chip."""

    numerical_aperture: float = 0.9
    emission_um: float = 0.65
    pump_um: float = 0.532
    astigmatism_waves: float = 0.02  # rms, as the next two
    coma_waves: float = 0.02
    spherical_waves: float = 0.03
    fibre_core_um: float = 0.45  # diameter, seen on the chip; one Airy disk is 0.88
    filter_nm: tuple[float, float] = (615.0, 705.0)
    wide_radius_um: float = 25.0  # 1/e2 of the wide field's illumination
    wide_to_spot: float = 1.2e-4  # density on the chip at equal power: about the ratio of areas
    wide_centre_um: tuple[float, float] = (1.0, -2.0)
    lens_travel_s: float = 0.05
    rotator_rad: float = 3.141592653589793  # by which the DAC's span turns the pump's polarisation
    reference_efficiency: float = 0.65  # detectors with which the chip's count rates are meant
    splitter_to_a: float = 0.5
    tapped: float = 0.05  # share of the collected light that the two detectors get
    onward: float = 0.8  # of the rest, what leaves at the output


@dataclass(frozen=True)
class LaserNature:
    """The laser, and how far its power strays from what it is set to; shares of it."""

    noise_rms: float = 0.002  # new each millisecond
    wander_rms: float = 0.005  # over minutes to a day
    most_uw: float = 200_000.0
    warm_up_s: float = 3.0  # of a diode; one that doubles its frequency takes a minute


@dataclass(frozen=True)
class EnvironmentNature:
    """Temperatures in the enclosure, and how the focus moves over the chip because of them."""

    mean_k: float = 296.15
    day_amplitude_k: float = 0.5
    warmest_at_s: float = 54_000.0  # after the rig's start, and then each day
    wander_rms_k: float = 0.05
    warm_up_k: float = 3.0  # of the mount, by the rack's own heat
    warm_up_s: float = 1800.0
    step_lag_s: float = 600.0  # enclosure behind the room
    mount_lag_s: float = 1800.0  # mount behind the enclosure
    drift_um_per_k: tuple[float, float, float] = (0.8, -0.5, 1.2)
    walk_nm2_per_s: tuple[float, float, float] = (0.02, 0.02, 0.04)  # random walk
    vibration_hz: tuple[float, ...] = (11.3, 49.7, 118.0)
    vibration_nm: tuple[tuple[float, float, float], ...] = ((2, 1, 3), (1, 2, 1), (0.5, 0.5, 1))


@dataclass(frozen=True)
class PoseNature:
    """How differently the chip may lie after each power cycle; standard deviations."""

    shift_um: float = 25.0
    height_um: float = 5.0
    turn_deg: float = 1.0
    turn_limit_deg: float = 4.0
    tilt_mrad: float = 0.5


@dataclass(frozen=True)
class StageNature:
    """What the stage believes to be a micrometre along x, y, z, and is not quite."""

    centre_um: tuple[float, float, float] = (100.0, 100.0, 100.0)
    scale_error: tuple[float, float, float] = (3e-4, -2e-4, 5e-4)
    skew_mrad: float = 0.8  # x and y are not at right angles
    lift_mrad: tuple[float, float] = (0.6, -0.4)  # z moved by a move along x, y
    startup_s: float = 10.0  # until its controller answers; an E-727's firmware
    analogue_um: tuple[float, float, float] = (10.0, 10.0, 10.0)  # the span of the DAC's codes
    analogue_scale_error: tuple[float, float, float] = (0.01, -0.015, 0.02)


@dataclass(frozen=True)
class SpadNature:
    """A single-photon counting module; defaults are of the SPCM-AQRH class."""

    efficiency: float = 0.65
    dark_cps: float = 100.0
    dead_ns: float = 24.0
    afterpulse_share: float = 0.005
    afterpulse_ns: float = 40.0
    jitter_fwhm_ps: float = 350.0
    jitter_tail: float = 0.1  # share of clicks that come late by diffusion
    jitter_tail_ps: float = 250.0
    latch_cps: float = 40e6  # photons that it would have seen; then it is blind
    latched_s: float = 0.5


@dataclass(frozen=True)
class CameraNature:
    """A camera; defaults are of an industrial CMOS sensor of 12 bits, global shutter."""

    width_px: int = 512
    height_px: int = 512
    pixel_um: float = 0.065  # on the chip
    turn_deg: float = 0.4
    spot_px: tuple[float, float] = (3.4, -2.2)  # where the focus lies, from the middle
    electrons_per_count: float = 0.8  # of the two detectors' counts: efficiency and a splitter
    offset_adu: float = 100.0
    offset_sd_adu: float = 1.5
    gain_adu_per_e: float = 0.4
    gain_sd: float = 0.01  # of one pixel, relative
    read_noise_e: float = 2.4  # median; the tail is long
    read_noise_spread: float = 0.2  # of its logarithm
    dark_e_per_s: float = 2.0
    hot_share: float = 1e-4
    hot_e_per_s: float = 2000.0
    cosmic_per_s: float = 0.02  # on the whole sensor
    full_well_e: float = 10_000.0
    bit_depth: int = 12
    rolling_line_s: float = 0.0  # 0 is a global shutter
    startup_s: float = 2.0


@dataclass(frozen=True)
class WorldNature:
    """All of it."""

    chip: ChipNature = field(default_factory=ChipNature)
    optics: OpticsNature = field(default_factory=OpticsNature)
    laser: LaserNature = field(default_factory=LaserNature)
    environment: EnvironmentNature = field(default_factory=EnvironmentNature)
    pose: PoseNature = field(default_factory=PoseNature)
    stage: StageNature = field(default_factory=StageNature)
    spads: tuple[SpadNature, SpadNature] = (SpadNature(), SpadNature(efficiency=0.62))
    camera: CameraNature = field(default_factory=CameraNature)
