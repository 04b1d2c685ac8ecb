"""A stranger's raster scan: serial lines of a rack, what their manuals say, and nothing of ours.

python tests/accept/raster.py ENDPOINTS.json X_UM Y_UM Z_UM STEP_UM STEPS

Prints clicks a second as JSON, by rows.
"""

import json
import sys
import zlib
from pathlib import Path

from serial import Serial

ends = json.loads(Path(sys.argv[1]).read_text())
x_um, y_um, z_um, step_um, steps = *map(float, sys.argv[2:6]), int(sys.argv[6])
stage, laser, board = (
    Serial(ends[n].split("//")[1], timeout=5) for n in ("stage", "laser", "board")
)


def ask(line: Serial, question: str, end: str = "\n") -> str:
    line.write((question + end).encode())
    return str(line.readline().decode().strip())


def order(command: str) -> None:
    board.write(f"{command} *{zlib.crc32(command.encode()):08X}\n".encode())


def counted() -> int:
    """Clicks a second in the first gate that was lit all along, the stage at rest."""
    first = int(ask(board, "COUN?").split(",")[4]) + 2
    for refresh in ("LEAS 0", "LEAS 500"):
        order(refresh)
    while int((told := ask(board, "COUN?").split(","))[4]) < first + 2:
        pass
    clicks, lit = int(told[0]) + int(told[1]), ask(board, "LEAS?").startswith("LIT")
    return round(clicks / int(told[3]) * 1e6) if lit else counted()


ask(laser, "p 0.0005", "\r"), ask(laser, "@cob1", "\r")
while ask(laser, "l?", "\r") != "1":
    pass
order("GATE 10")
stage.write(b"SVO 1 1 2 1 3 1\n")
counts = []
for place in range(steps * steps):
    row, column = (n - (steps - 1) / 2 for n in divmod(place, steps))
    stage.write(
        f"MOV 1 {x_um + column * step_um:.4f} 2 {y_um + row * step_um:.4f} 3 {z_um}\n".encode()
    )
    while ask(stage, "ONT? 1") + ask(stage, "ONT? 2") != "1=12=1":
        pass
    counts.append(counted())
json.dump([counts[n : n + steps] for n in range(0, len(counts), steps)], sys.stdout)
