"""A camera behind the frame-server protocol (optics/README.md), in a process of its own.

python -m optics.frame_server aravis://192.168.7.2 --listen tcp://127.0.0.1:7700
python -m optics.frame_server v4l2:///dev/video0 --listen unix:///run/gansource/camera
python -m optics.frame_server file:///data/run7.tif --listen tcp://127.0.0.1:7700
"""

import argparse
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from optics import frame_protocol as protocol
from optics.frame_server.service import Session
from optics.frame_server.source import CameraGone, NotPossible, Source

SLOTS = 12
"""Frames in flight, in the client's hands and in wait: the camera's, ours, and ten besides."""
OUT_OF_REACH = 5


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m optics.frame_server",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", help="aravis://NAME, pylon://SERIAL, v4l2:///dev/videoN or file:///PATH"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--listen", help="tcp://HOST:PORT or unix:///PATH")
    where.add_argument("--descriptor", type=int, help="a connected socket that was inherited")
    wanted = parser.parse_args()
    clients = _inherited(wanted.descriptor) if wanted.listen is None else _callers(wanted.listen)
    try:
        source = _opened(wanted.source)
    except (CameraGone, NotPossible) as err:
        return _turn_away(clients, str(err))
    try:
        for client in clients:
            with client:
                Session(client, source).serve()
    except CameraGone as err:
        sys.stderr.write(f"frame server: {err}\n")
        return OUT_OF_REACH
    finally:
        source.close()
    return 0


def _opened(address: str) -> Source:
    """The libraries are large, so only the one that is asked for is loaded."""
    parts = urlsplit(address)
    name, features = unquote(parts.netloc + parts.path), dict(parse_qsl(parts.query))
    if parts.scheme == "aravis":
        from optics.frame_server.aravis import Aravis

        return Aravis(name, features, SLOTS)
    if parts.scheme == "pylon":
        return _pylon(name, features)
    from optics.frame_server.opencv import Recorded, Video4Linux

    kinds: dict[str, Callable[[str, int], Source]] = {"v4l2": Video4Linux, "file": Recorded}
    if parts.scheme not in kinds:
        raise NotPossible(f"{address!r}: write aravis://, pylon://, v4l2:// or file://")
    return kinds[parts.scheme](name, SLOTS)


def _pylon(serial: str, features: dict[str, str]) -> Source:
    try:
        from optics.frame_server.pylon import Pylon
    except ImportError as err:
        raise CameraGone("pypylon is not installed: .venv/bin/pip install pypylon") from err
    return Pylon(serial, features, SLOTS)


def _inherited(descriptor: int) -> Iterator[socket.socket]:
    yield socket.socket(fileno=descriptor)


def _callers(address: str) -> Iterator[socket.socket]:
    """One client after the other."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        Path(parts.path).unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(parts.path)
    else:
        server = socket.create_server((parts.hostname or "127.0.0.1", parts.port or 0))
    server.listen()
    sys.stdout.write(f"{_told(server)}\n")
    sys.stdout.flush()
    while True:
        yield server.accept()[0]


def _told(server: socket.socket) -> str:
    name = server.getsockname()
    return f"unix://{name}" if isinstance(name, str) else f"tcp://{name[0]}:{name[1]}"


def _turn_away(clients: Iterator[socket.socket], why: str) -> int:
    """The first client is told why there is no camera, and may try again."""
    sys.stderr.write(f"frame server: {why}\n")
    with next(clients) as client:
        client.recv(protocol.LINE_BYTES)
        client.sendall(protocol.written("ERROR", kind="absent", why=why))
    return OUT_OF_REACH


if __name__ == "__main__":
    sys.exit(main())
