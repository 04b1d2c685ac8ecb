"""One client's session with the frame server: lines in, lines and frames out."""

import select
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

from optics import frame_protocol as protocol
from optics.frame_server.source import CameraGone, NotPossible, Region, Source, Taken

LOOK_S = 0.1
"""How long a wait for a frame may last before the client is looked after."""
LEAST_RATE_HZ, MOST_RATE_HZ = 1e-3, 1e5


class Refusal(Exception):
    """A request that is answered with ERROR."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class ClientGone(Exception):
    """Nobody is there to answer."""


class Session:
    """From a client's connection to its end."""

    def __init__(self, client: socket.socket, source: Source) -> None:
        self._client, self._source, self._memory = client, source, source.memory
        self._unread = bytearray()
        self._greeted = self._shares = False
        self._trigger = "software"
        self._exposing: tuple[float, float, float] | None = None  # as started: us, gain, rate
        self._really = (0.0, 0.0)
        self._given: Taken | None = None
        self._latest = -1

    def serve(self) -> None:
        """Until the client goes, or the camera does."""
        try:
            while line := self._line():
                self._client.sendall(self._answer(line))
                self._send_pixels()
        except (ClientGone, ConnectionError):
            return
        finally:
            self._halt()

    def _line(self) -> bytes:
        while (end := self._unread.find(b"\n") + 1) == 0:
            data = self._client.recv(4096)
            if not data:
                return b""
            self._unread += data
            del self._unread[: -protocol.LINE_BYTES - 1]  # so much without an end is no line
        line = bytes(self._unread[:end])
        del self._unread[:end]
        return line

    def _answer(self, line: bytes) -> bytes:
        self._free()
        try:
            word, fields = protocol.read(line)
            return self._handler(word)(self, fields)
        except protocol.BadLine as err:
            return protocol.written("ERROR", kind="garbled", why=err)
        except Refusal as err:
            return protocol.written("ERROR", kind=err.kind, why=err)
        except NotPossible as err:
            return protocol.written("ERROR", kind="refused", why=err)
        except CameraGone as err:
            self._client.sendall(protocol.written("ERROR", kind="lost", why=err))
            raise

    def _handler(self, word: str) -> "Handler":
        if word not in REQUESTS:
            raise Refusal("refused", f"{word} is no request")
        if not self._greeted and word != "HELLO":
            raise Refusal("lost", "greet first")
        return REQUESTS[word]

    def hello(self, _fields: protocol.Fields) -> bytes:
        self._halt()
        self._greeted, self._shares, self._latest = True, False, -1
        told = asdict(self._source.told)
        return protocol.written("CAMERA", version=protocol.VERSION, **told, **self._source.where)

    def region(self, fields: protocol.Fields) -> bytes:
        sensor = self._source.told
        x = int(_number(fields, "x", 0, sensor.width - 1))
        y = int(_number(fields, "y", 0, sensor.height - 1))
        width = int(_number(fields, "width", 1, sensor.width - x))
        height = int(_number(fields, "height", 1, sensor.height - y))
        self._halt()
        self._source.set_region(Region(x, y, width, height))
        return OK

    def trigger(self, fields: protocol.Fields) -> bytes:
        if fields.get("source") not in ("software", "off", "external"):
            raise Refusal("refused", "source is software, off or external")
        self._halt()
        self._trigger = fields["source"]
        self._source.set_trigger(self._trigger)
        return OK

    def share(self, fields: protocol.Fields) -> bytes:
        self._shares = fields.get("use") == "1"
        return OK

    def snap(self, fields: protocol.Fields) -> bytes:
        """Frames that were begun before are passed over."""
        exposure_us, gain = self._exposure(fields)
        until_s = time.monotonic() + _number(fields, "within_us", 0.0, 1e12) * 1e-6
        self._expose(exposure_us, gain, 0.0)
        asked_s = time.monotonic()
        while stale := self._source.grab(0.0):
            self._source.give_back(stale)
        if self._trigger == "software":
            self._source.trigger()
        while taken := self._grab(until_s):
            if taken.began_s >= asked_s or self._trigger == "software":
                return self._head(taken._replace(began_s=max(taken.began_s, asked_s)))
            self._source.give_back(taken)
        self._halt()  # what comes later would answer the next request
        return NONE

    def run(self, fields: protocol.Fields) -> bytes:
        exposure_us, gain = self._exposure(fields)
        rate_hz = _number(fields, "rate_hz", LEAST_RATE_HZ, MOST_RATE_HZ)
        self._halt()
        self._expose(exposure_us, gain, rate_hz)
        return OK

    def next(self, fields: protocol.Fields) -> bytes:
        until_s = time.monotonic() + _number(fields, "within_us", 0.0, 1e12) * 1e-6
        taken = self._grab(until_s)
        return NONE if taken is None else self._head(taken)

    def stop(self, _fields: protocol.Fields) -> bytes:
        self._halt()
        return OK

    def _exposure(self, fields: protocol.Fields) -> tuple[float, float]:
        told = self._source.told
        low_us, high_us = told.least_exposure_us, told.most_exposure_us
        exposure_us = _number(fields, "exposure_us", low_us, high_us)
        return exposure_us, _number(fields, "gain", told.least_gain, told.most_gain)

    def _expose(self, exposure_us: float, gain: float, rate_hz: float) -> None:
        """Arming costs a camera tens of ms, so single frames of one kind share it."""
        if self._exposing != (exposure_us, gain, rate_hz):
            self._halt()
            self._really = self._source.start(exposure_us, gain, rate_hz)
            self._exposing = (exposure_us, gain, rate_hz)

    def _grab(self, until_s: float) -> Taken | None:
        """In short waits, since a client that is gone wants no frame."""
        while True:
            left_s = until_s - time.monotonic()
            taken = self._source.grab(min(max(left_s, 0.0), LOOK_S))
            if taken is not None or left_s <= 0.0:
                return taken
            if select.select([self._client], [], [], 0.0)[0]:
                if not self._client.recv(1, socket.MSG_PEEK):
                    raise ClientGone
                raise Refusal("refused", "one request at a time")

    def _head(self, taken: Taken) -> bytes:
        self._given = taken
        lost = taken.number - self._latest - 1 if self._latest >= 0 else 0
        self._latest = taken.number
        exposure_us, gain = self._really
        block = self._memory.view(taken.slot)[: taken.bytes]
        return protocol.written(
            "FRAME",
            number=taken.number,
            lost=max(lost, 0),
            complete=taken.complete,
            age_us=max(0, round((time.monotonic() - taken.began_s) * 1e6)),
            exposure_us=exposure_us,
            gain=gain,
            width=taken.width,
            height=taken.height,
            format=self._source.told.format,
            bytes=taken.bytes,
            crc="0" if self._shares else protocol.checksum(block),
            slot=taken.slot if self._shares else -1,
        )

    def _send_pixels(self) -> None:
        if self._given is not None and not self._shares:
            self._client.sendall(self._memory.view(self._given.slot)[: self._given.bytes])

    def _free(self) -> None:
        given, self._given = self._given, None
        if given is not None:
            self._source.give_back(given)

    def _halt(self) -> None:
        self._free()
        if self._exposing is not None:
            self._exposing = None
            self._source.stop()


Handler = Callable[[Session, protocol.Fields], bytes]
REQUESTS: Mapping[str, Handler] = {
    "HELLO": Session.hello,
    "REGION": Session.region,
    "TRIGGER": Session.trigger,
    "MEMORY": Session.share,
    "SNAP": Session.snap,
    "RUN": Session.run,
    "NEXT": Session.next,
    "STOP": Session.stop,
}
OK, NONE = protocol.written("OK"), protocol.written("NONE")


def _number(fields: protocol.Fields, key: str, low: float, high: float) -> float:
    try:
        value = float(fields[key])
    except (KeyError, ValueError):
        raise Refusal("refused", f"{key} is missing, or no number") from None
    if not low <= value <= high:
        raise Refusal("range", f"{key}={value:g} is not within {low:g} to {high:g}")
    return value
