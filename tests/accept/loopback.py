"""A network namespace of one's own begins with its loopback down: GigE Vision's port is fixed."""

import fcntl
import socket
import struct

SIOCSIFFLAGS, UP, RUNNING = 0x8914, 0x1, 0x40


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        wanted = struct.pack("16sH14s", b"lo", UP | RUNNING, b"")
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, wanted)
