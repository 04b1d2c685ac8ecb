"""MicroPython's end of the wires to the rig: one request a line, one answer a line."""

import os

_rig = open(int(os.getenv("RIG_FD") or 0), "r+b")  # noqa: SIM115, PTH123 - open as long as we live


def ask(*words: "str | int") -> "list[int]":
    """The numbers that the rig answers."""
    _rig.write((" ".join([str(word) for word in words]) + "\n").encode())
    return [int(word) for word in _rig.readline().split()]
