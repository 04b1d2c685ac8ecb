"""A camera behind a frame server, as the protocol in optics/README.md describes one.

Frames are worked out after their exposure has ended: off the loop where wires are real, inline
where the clock jumps. Its troubles are `frozen` and those of `sensor`.
"""

from collections.abc import Callable

from hil.emulators.camera_lines import Intake, LineError, line, request
from hil.emulators.camera_model import CameraModel, Expose, Sensor
from hil.emulators.camera_session import Session


class CameraEmulator:
    """Bytes in, bytes out; what takes its time is told through `say`."""

    def __init__(
        self, model: CameraModel, clock: Callable[[], float], seed: int, expose: Expose
    ) -> None:
        self.say: Callable[[bytes], None] = _unheard
        self.sensor = Sensor(model, seed, expose)
        self.frozen = False
        self._clock, self._powered, self._awake_s = clock, True, clock()
        self._intake = Intake()
        self._session: Session | None = None

    def receive(self, data: bytes) -> bytes:
        """Take what arrived, however it was cut up; return what the server says to it."""
        if not self._hears():
            return b""
        return b"".join(self._answer(raw) for raw in self._intake.cut(data))

    def power_off(self) -> None:
        self._powered = False
        self._forget()

    def power_on(self) -> None:
        """What it knew is gone, and for a while it hears nothing."""
        self._powered, self.frozen, self.sensor.number = True, False, 0
        self._awake_s = self._clock() + self.sensor.model.startup_s
        self._forget()

    def power_cycle(self) -> None:
        self.power_off()
        self.power_on()

    def pulse(self) -> None:
        """A pulse on the trigger input: under an external trigger it begins an exposure."""
        if self._session is not None and self._hears():
            self._session.pulse()

    def _hears(self) -> bool:
        return self._powered and not self.frozen and self._clock() >= self._awake_s

    def _answer(self, raw: bytes) -> bytes:
        try:
            word, fields = request(raw)
            if word == "HELLO":
                return self._greet()
            return self._begun().answer(word, fields)
        except LineError as err:
            return line("ERROR", {"kind": err.kind, "why": err})

    def _greet(self) -> bytes:
        """Nothing is left of an earlier client."""
        self._forget()
        self._session = Session(self.sensor, self._clock, self._awake_s, self._speak)
        return line("CAMERA", {"version": 1, **self.sensor.model.told()})

    def _begun(self) -> Session:
        if self._session is None:
            raise LineError("lost", "greet first")
        return self._session

    def _forget(self) -> None:
        self._intake = Intake()
        session, self._session = self._session, None
        if session is not None:
            session.end()

    def _speak(self, data: bytes) -> None:
        if self._hears():
            self.say(data)


def _unheard(_data: bytes) -> None:
    """Until a wire is joined."""
