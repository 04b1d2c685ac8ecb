"""What one client of the frame server has set up, and the frames on their way to it."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from hil.emulators.camera_lines import LineError, crc, line, number
from hil.emulators.camera_model import Sensor, Shot, pixels

RING_FRAMES = 8
AT_WORK = 3
FOREVER_US = 1e12
OK = line("OK", {})

Fields = Mapping[str, str]


class Session:
    """From a greeting to the next, or to the end of the power."""

    def __init__(
        self,
        sensor: Sensor,
        clock: Callable[[], float],
        awake_s: float,
        say: Callable[[bytes], None],
    ) -> None:
        self._sensor, self._clock, self._awake_s, self._say = sensor, clock, awake_s, say
        self._region = (0, 0, sensor.model.width, sensor.model.height)
        self._trigger, self._exposure_s, self._gain = "software", 0.0, 1.0
        self._run, self._lost = 0, 0  # frames of an earlier run come to nothing
        self._waiting: asyncio.TimerHandle | None = None  # until the answer is NONE
        self._again: asyncio.TimerHandle | None = None  # until a run's next exposure
        self._at_work: deque[tuple[Shot, asyncio.Future[bytes]]] = deque()
        self._ring: deque[tuple[Shot, bytes]] = deque()

    def answer(self, word: str, fields: Fields) -> bytes:
        """What can be said at once."""
        if word not in REQUESTS:
            raise LineError("refused", f"{word} is no request")
        if self._waiting is not None:
            raise LineError("refused", "one request at a time")
        return REQUESTS[word](self, fields)

    def end(self) -> None:
        """Whatever is under way comes to nothing."""
        self._halt()
        self._disarm()

    def region(self, fields: Fields) -> bytes:
        model = self._sensor.model
        x = int(number(fields, "x", 0, model.width - 1))
        y = int(number(fields, "y", 0, model.height - 1))
        width = int(number(fields, "width", 1, model.width - x))
        height = int(number(fields, "height", 1, model.height - y))
        self._region = (x, y, width, height)
        return OK

    def trigger(self, fields: Fields) -> bytes:
        if fields.get("source") not in ("software", "off", "external"):
            raise LineError("refused", "source is software, off or external")
        self._trigger = fields["source"]
        return OK

    def memory(self, _fields: Fields) -> bytes:
        raise LineError("refused", "no memory is shared")

    def snap(self, fields: Fields) -> bytes:
        self._set_exposure(fields)
        self._await(fields)
        self._halt()
        if self._trigger != "external":
            self._later(self._until_next_s(), self._shoot)
        return b""

    def run(self, fields: Fields) -> bytes:
        self._set_exposure(fields)
        least_s = self._exposure_s + self._sensor.model.readout_s
        rate_hz = number(fields, "rate_hz", 1e-3, 1.0 / least_s)
        self._halt()
        if self._trigger != "external":
            self._run_on(1.0 / rate_hz)
        return OK

    def next(self, fields: Fields) -> bytes:
        self._await(fields)
        self._hand_over()
        return b""

    def stop(self, _fields: Fields) -> bytes:
        self._halt()
        return OK

    def pulse(self) -> None:
        """On the trigger input."""
        if self._trigger == "external" and self._exposure_s:
            self._shoot()

    def _set_exposure(self, fields: Fields) -> None:
        model = self._sensor.model
        self._exposure_s = number(fields, "exposure_us", *model.exposure_us) * 1e-6
        self._gain = number(fields, "gain", *model.gain)

    def _await(self, fields: Fields) -> None:
        within_s = number(fields, "within_us", 0.0, FOREVER_US) * 1e-6
        self._waiting = self._later(within_s, self._give_up)

    def _give_up(self) -> None:
        self._waiting = None
        self._say(line("NONE", {}))

    def _disarm(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _halt(self) -> None:
        """No further exposure of a run, and none of its frames."""
        self._run += 1
        self._at_work.clear()
        self._ring.clear()
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _until_next_s(self) -> float:
        """A camera that runs freely begins when it likes, not when it is asked."""
        if self._trigger == "software":
            return 0.0
        period_s = self._exposure_s + self._sensor.model.readout_s
        return period_s - (self._clock() - self._awake_s) % period_s

    def _run_on(self, period_s: float) -> None:
        self._again = self._later(period_s, self._run_on, period_s)
        self._shoot()

    def _shoot(self) -> None:
        shot = self._sensor.shot(self._clock(), self._exposure_s, self._gain)
        after_s = shot.exposure_s + self._sensor.model.readout_s
        self._later(after_s, self._develop, shot, self._run)

    def _develop(self, shot: Shot, run: int) -> None:
        """After the exposure has ended: begin to work the frame out."""
        if run != self._run:
            return
        if not self._sensor.comes(shot) or len(self._at_work) >= AT_WORK:
            self._lost += 1
            return
        made, model = self._sensor.developed(shot), self._sensor.model
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(None, pixels, made, self._region, model.format)
        self._at_work.append((shot, work))
        work.add_done_callback(lambda _work: self._developed())

    def _developed(self) -> None:
        """Frames leave in the order in which they were exposed."""
        while self._at_work and self._at_work[0][1].done():
            shot, work = self._at_work.popleft()
            if len(self._ring) == RING_FRAMES:
                self._ring.popleft()
                self._lost += 1
            self._ring.append((shot, work.result()))
        self._hand_over()

    def _hand_over(self) -> None:
        """The oldest frame, to whoever waits for one."""
        if self._waiting is None or not self._ring:
            return
        self._disarm()
        shot, block = self._ring.popleft()
        lost, self._lost = self._lost, 0
        self._say(self._head(shot, lost, block) + block)

    def _head(self, shot: Shot, lost: int, block: bytes) -> bytes:
        fields = {
            "number": shot.number,
            "lost": lost,
            "complete": int(self._sensor.is_complete(shot)),
            "age_us": round((self._clock() - shot.began_s) * 1e6),
            "exposure_us": shot.exposure_s * 1e6,
            "gain": shot.gain,
            "width": self._region[2],
            "height": self._region[3],
            "format": self._sensor.model.format,
            "bytes": len(block),
            "crc": crc(block),
            "slot": -1,
        }
        return line("FRAME", fields)

    def _later(
        self, after_s: float, act: Callable[..., None], *args: object
    ) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(after_s, act, *args)


REQUESTS: dict[str, Callable[[Session, Fields], bytes]] = {
    "REGION": Session.region,
    "TRIGGER": Session.trigger,
    "MEMORY": Session.memory,
    "SNAP": Session.snap,
    "RUN": Session.run,
    "NEXT": Session.next,
    "STOP": Session.stop,
}
