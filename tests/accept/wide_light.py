"""A stranger's lamp: lights the wide field through the lines of laser and board until it is killed.

python tests/accept/wide_light.py ENDPOINTS.json: says "lit" once it is.
"""

import json
import sys
import zlib
from pathlib import Path

from serial import Serial

ends = json.loads(Path(sys.argv[1]).read_text())
laser, board = (Serial(ends[name].split("//")[1], timeout=0.1) for name in ("laser", "board"))


def ask(question: str) -> bytes:
    laser.write(question.encode() + b"\r")
    return bytes(laser.readline())


def order(command: str) -> None:
    board.write(f"{command} *{zlib.crc32(command.encode()):08X}\n".encode())


ask("p 0.19"), ask("@cob1")
while ask("l?") != b"1\r\n":
    pass
order("LENS 1")
order("LEAS 0")
while True:
    order("LEAS 500")
    board.read(1)  # nothing comes, so it is a tenth of a second
    sys.stdout.write("lit\n")
    sys.stdout.flush()
