"""The pins of this board, and the loop that never ends. Everything else is handed what it needs."""

import machine

PINS = {"laser": 2, "interlock": 3, "a": 6, "b": 7, "phase": 8, "wide": 9, "both": 10}
PINS.update({"miso": 16, "select": 17, "sck": 18, "mosi": 19, "bench": 22, "sda": 26, "scl": 27})
machine.Pin(PINS["laser"], machine.Pin.OUT, value=0)  # before anything that takes time

import gc
import select
import sys
import time

import micropython

# What a compiler leaves behind is swept up at once: else it lies in between what stays for good,
# and no piece of memory of more than 3 kB is left.
gc.threshold(4096)

from flash import Flash
from runtime import Runtime

AT_ONCE = 64  # bytes read before everything else has its turn

if machine.Pin(PINS["bench"], machine.Pin.IN, machine.Pin.PULL_UP).value():
    micropython.kbd_intr(-1)  # byte 0x03 is data on this line and does not stop the program
    runtime = Runtime(time, Flash(), PINS)
    gc.threshold(16384)
    arrived = select.poll()
    arrived.register(sys.stdin, select.POLLIN)
    while True:
        data = b""
        while len(data) < AT_ONCE and arrived.poll(0 if data else 1):
            data += sys.stdin.buffer.read(1)
        if said := runtime.turn(data):
            sys.stdout.buffer.write(said)
