"""What goes wrong: acts on wires, devices, world and computer, each of which returns its end.

Several may run at once, also several of one kind.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from hil.emulators.laser_head import Trip
from hil.rack import AXES, Rack
from hil.wires import Wire
from hil.world import World

End = Callable[[], None]
SHAKEN_HZ = 37.0


class NotHere(Exception):
    """This trouble needs something that is not part of this rig."""


class Ground(Protocol):
    """What troubles happen to: the rig, and the computer that runs the controller."""

    rack: Rack
    wires: Mapping[str, Wire]

    def clock(self) -> float:
        """Seconds since the rig began."""

    def kill(self) -> None:
        """The controller dies where it stands; NotHere without one."""

    def revive(self) -> None:
        """And is started again, unless something else still keeps it down."""

    def fill_disk(self, *, full: bool) -> None:
        """Nothing more can be written, or something can again."""

    def shift_clock(self, by_s: float) -> None:
        """The wall clock jumps."""


class Order(NamedTuple):
    """One trouble, as somebody wants it."""

    for_s: float
    severity: float
    device: str = "stage"
    axis: str = "x"


def nothing() -> None:
    """It does not end, or has ended."""


def _wire(ground: Ground, order: Order) -> Wire:
    if order.device not in ground.wires:
        raise NotHere(f"no wire of ours leads to the {order.device}")
    return ground.wires[order.device]


def cut(ground: Ground, order: Order) -> End:
    wire = _wire(ground, order)
    wire.cut()
    return wire.mend


def power_loss(ground: Ground, order: Order) -> End:
    device = ground.rack.devices[order.device]
    device.power_off()
    return device.power_on


def hang(ground: Ground, order: Order) -> End:
    device = ground.rack.devices[order.device]
    device.frozen = True
    return lambda: setattr(device, "frozen", False)


def manner(name: str) -> Callable[[Ground, Order], End]:
    def begin(ground: Ground, order: Order) -> End:
        return _wire(ground, order).trouble(**{name: order.severity})

    return begin


def late(ground: Ground, order: Order) -> End:
    _wire(ground, order).hold_next_answer(order.severity)
    return nothing


def _axis(order: Order) -> str:
    return AXES["xyz".index(order.axis)]


def stick(ground: Ground, order: Order) -> End:
    ground.rack.stage.stick(_axis(order))
    return lambda: ground.rack.stage.free(_axis(order))


def run_away(ground: Ground, order: Order) -> End:
    ground.rack.stage.run_away(_axis(order), order.severity)
    return lambda: ground.rack.stage.free(_axis(order))


def narrow(ground: Ground, order: Order) -> End:
    ground.rack.stage.narrow(_axis(order), order.severity)
    return lambda: ground.rack.stage.narrow(_axis(order), 0.0)


def lose_reference(ground: Ground, _order: Order) -> End:
    ground.rack.stage.lose_reference()
    return nothing


def trip(ground: Ground, _order: Order) -> End:
    ground.rack.laser.head.trip(Trip.TEMPERATURE)
    return nothing


def key(ground: Ground, _order: Order) -> End:
    head = ground.rack.laser.head
    head.turn_key(on=False)
    return lambda: head.turn_key(on=True)


def door(ground: Ground, _order: Order) -> End:
    ground.rack.open_door()
    return ground.rack.close_door


def sag(ground: Ground, order: Order) -> End:
    head = ground.rack.laser.head
    head.sag(order.severity)
    return lambda: head.sag(1.0)


def path_loss(ground: Ground, order: Order) -> End:
    now_s = ground.clock()
    ground.rack.world.laser_share.between(now_s, now_s + order.for_s, order.severity)
    return nothing


def lamp(ground: Ground, order: Order) -> End:
    now_s = ground.clock()
    ground.rack.world.lamp_cps.between(now_s, now_s + order.for_s, order.severity)
    return nothing


def detector_dies(ground: Ground, order: Order) -> End:
    now_s = ground.clock()
    alive = (0.0, 1.0) if order.severity < 2.0 else (1.0, 0.0)
    ground.rack.world.detectors.between(now_s, now_s + order.for_s, *alive)
    return nothing


def sensor(name: str, healthy: float) -> Callable[[Ground, Order], End]:
    def begin(ground: Ground, order: Order) -> End:
        sensor = ground.rack.camera.sensor
        setattr(sensor, name, type(healthy)(order.severity))
        return lambda: setattr(sensor, name, healthy)

    return begin


def nearest(world: World, now_s: float) -> int:
    """The emitter nearest to the focus."""
    away_um = world.scene(now_s).chip.emitters.place_um - world.focus_um(now_s)
    return int((away_um * away_um).sum(axis=1).argmin())


def _emitter(ground: Ground) -> int:
    """The one in the focus, or nearest to it."""
    world, now_s = ground.rack.world, ground.clock()
    which, share = world.faced(now_s)
    return which if share > 0.0 else nearest(world, now_s)


def blink(ground: Ground, order: Order) -> End:
    ground.rack.world.blink_off(_emitter(ground), ground.clock(), order.for_s)
    return nothing


def bleach(ground: Ground, _order: Order) -> End:
    ground.rack.world.bleach(_emitter(ground), ground.clock())
    return nothing


def jump(ground: Ground, order: Order) -> End:
    world, emitter = ground.rack.world, _emitter(ground)
    world.jump(emitter, ground.clock(), order.severity)
    return lambda: world.jump(emitter, ground.clock(), 0.0)


def swap(ground: Ground, _order: Order) -> End:
    ground.rack.world.swap_chip(ground.clock())
    return nothing


def warm(ground: Ground, order: Order) -> End:
    ground.rack.world.temperature_step(ground.clock(), order.severity)
    return lambda: ground.rack.world.temperature_step(ground.clock(), -order.severity)


def shake(ground: Ground, order: Order) -> End:
    swing_um = (order.severity, order.severity, order.severity)
    ground.rack.world.shake(ground.clock(), order.for_s, SHAKEN_HZ, swing_um)
    return nothing


def kill(ground: Ground, _order: Order) -> End:
    ground.kill()
    return ground.revive


def power_cut(ground: Ground, _order: Order) -> End:
    ground.kill()
    ground.rack.power_off()

    def back() -> None:
        ground.rack.power_on()
        ground.revive()

    return back


def fill(ground: Ground, _order: Order) -> End:
    ground.fill_disk(full=True)
    return lambda: ground.fill_disk(full=False)


def shift(ground: Ground, order: Order) -> End:
    ground.shift_clock(order.severity)
    return nothing


def camera_hang(ground: Ground, order: Order) -> End:
    return hang(ground, order._replace(device="camera"))
