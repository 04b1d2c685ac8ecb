"""PicoQuant's 32-bit time tag records, as their demo code documents them, into clock and channel.

Each loop goes on with the clock in `clock[0]`, stops it at `latest`, skips markers, and returns how
many clicks it found.
"""

from optics.native import Int64s, Native, UInt8s, UInt32s


@Native
def hydra_t2(
    records: UInt32s, n: int, wrap: int, counted: int, latest: int,
    clock: Int64s, ticks: Int64s, channels: UInt8s,
) -> int:  # fmt: skip
    """HydraHarp and its successors. An overflow record holds how many, if `counted`; 0 means one.

    A sync record comes out as channel 64, since its special bit stands beside a channel of 0.
    """
    now = clock[0]
    kept = 0
    for i in range(n):
        code = records[i] >> 25
        value = records[i] & 0x1FFFFFF
        if code == 127:
            wraps = value * counted
            if wraps == 0:
                wraps = 1
            now += wraps * wrap
            if now > latest:
                now = latest
        if code <= 64:
            ticks[kept] = now + value
            channels[kept] = code
            kept += 1
    clock[0] = now
    return kept


@Native
def hydra_t3(
    records: UInt32s, n: int, wrap: int, counted: int, latest: int,
    clock: Int64s, syncs: Int64s, delays: Int64s, channels: UInt8s,
) -> int:  # fmt: skip
    """The same with a count of syncs and the time since the last."""
    now = clock[0]
    kept = 0
    for i in range(n):
        code = records[i] >> 25
        value = records[i] & 0x3FF
        if code == 127:
            wraps = value * counted
            if wraps == 0:
                wraps = 1
            now += wraps * wrap
            if now > latest:
                now = latest
        if code < 64:
            syncs[kept] = now + value
            delays[kept] = (records[i] >> 10) & 0x7FFF
            channels[kept] = code
            kept += 1
    clock[0] = now
    return kept


@Native
def pico_t2(
    records: UInt32s, n: int, wrap: int, counted: int, latest: int,  # noqa: ARG001 - as the others
    clock: Int64s, ticks: Int64s, channels: UInt8s,
) -> int:  # fmt: skip
    """PicoHarp 300: channel 15 without marker bits is one overflow."""
    now = clock[0]
    kept = 0
    for i in range(n):
        code = records[i] >> 28
        if code == 15:
            if (records[i] & 0xF) == 0:
                now += wrap
                if now > latest:
                    now = latest
        else:
            ticks[kept] = now + (records[i] & 0xFFFFFFF)
            channels[kept] = code
            kept += 1
    clock[0] = now
    return kept


@Native
def pico_t3(
    records: UInt32s, n: int, wrap: int, counted: int, latest: int,  # noqa: ARG001 - as the others
    clock: Int64s, syncs: Int64s, delays: Int64s, channels: UInt8s,
) -> int:  # fmt: skip
    """PicoHarp 300: channel 15 with a zero delay is one overflow."""
    now = clock[0]
    kept = 0
    for i in range(n):
        code = records[i] >> 28
        delay = (records[i] >> 16) & 0xFFF
        if code == 15:
            if delay == 0:
                now += wrap
                if now > latest:
                    now = latest
        else:
            syncs[kept] = now + (records[i] & 0xFFFF)
            delays[kept] = delay
            channels[kept] = code
            kept += 1
    clock[0] = now
    return kept
