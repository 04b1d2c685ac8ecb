"""State-machine programs, as text and as what an assembler makes of it (a test compares them).

One cycle is one tick of the system clock: 8 ns at 125 MHz. `README.md` derives the limits.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rp2.asm_pio import word, wrap, wrap_target


class Program:
    """Text, opcodes, first and last address of the loop, and whether every line sets a side pin."""

    def __init__(self, text: str, opcodes: tuple, wrap: tuple, side: bool) -> None:
        self.text, self.opcodes, self.wrap, self.side = text, opcodes, wrap, side


COUNT = Program(
    """
    ; Rising edges on the input pin, downwards in Y while the jump pin (the phase) is high, else
    ; in X: while one gate is counted in the one, the gate before rests in the other.
    .program count
    second:
        jmp y-- next
    .wrap_target
    next:
        wait 0 pin 0
        wait 1 pin 0
        jmp pin second
        jmp x-- next
    .wrap
    """,
    (0x0081, 0x2020, 0x20A0, 0x00C0, 0x0041),
    (1, 4),
    False,
)

GATE = Program(
    """
    ; One gate after the other, each X + 6 cycles long; the side pin is the phase. A new length
    ; counts from the next gate on. Reports the X of each gate that has ended.
    .program gate
    .side_set 1
    .wrap_target
        pull noblock     side 0
        mov x, osr       side 0
        mov y, x         side 0
    first:
        jmp y-- first    side 0
        mov isr, x       side 0
        push noblock     side 0
        pull noblock     side 1
        mov x, osr       side 1
        mov y, x         side 1
    second:
        jmp y-- second   side 1
        mov isr, x       side 1
        push noblock     side 1
    .wrap
    """,
    (0x8080, 0xA027, 0xA041, 0x0083, 0xA0C1, 0x8000)
    + (0x9080, 0xB027, 0xB041, 0x1089, 0xB0C1, 0x9000),
    (0, 11),
    True,
)
GATE_OVERHEAD = 6  # cycles

STRETCH = Program(
    """
    ; A pulse of OSR + 2 cycles on the side pin for a rising edge on the input pin.
    .program stretch
    .side_set 1
    .wrap_target
        wait 0 pin 0     side 0
        wait 1 pin 0     side 0
        mov y, osr       side 1
    hold:
        jmp y-- hold     side 1
    .wrap
    """,
    (0x2020, 0x20A0, 0xB047, 0x1083),
    (0, 3),
    True,
)

MEET = Program(
    """
    ; Two cycles of the side pin for a rising edge on the input pin that finds the jump pin high
    ; OSR + 3 cycles later.
    .program meet
    .side_set 1
    hit:
        nop              side 1 [1]
    .wrap_target
        wait 0 pin 0     side 0
        wait 1 pin 0     side 0
        mov y, osr       side 0
    delay:
        jmp y-- delay    side 0
        jmp pin hit      side 0
    .wrap
    """,
    (0xB142, 0x2020, 0x20A0, 0xA047, 0x0084, 0x00C0),
    (1, 5),
    True,
)

LEASE = Program(
    """
    ; Light on the side pin for as many rounds of four cycles as it was last told, and only while
    ; the jump pin (the interlock) is high. From the dark it takes a 0 and then a number to light,
    ; so a renewal that comes too late lights nothing. Reports how it ended: X all ones when the
    ; time was up, else the interlock.
    .program lease
    .side_set 1
    .wrap_target
    dark:
        pull block       side 0
        mov x, osr       side 0
        jmp x-- dark     side 0
    armed:
        pull block       side 0
        mov x, osr       side 0
        jmp !x armed     side 0
        jmp pin lit      side 0
        jmp over         side 0
    lit:
        pull noblock     side 1
        mov x, osr       side 1
        jmp pin stay     side 1
        jmp over         side 0
    stay:
        jmp x-- lit      side 1
    over:
        mov isr, x       side 0
        push noblock     side 0
    .wrap
    """,
    (0x80A0, 0xA027, 0x0040, 0x80A0, 0xA027, 0x0023, 0x00C8, 0x000D)
    + (0x9080, 0xB027, 0x10CC, 0x000D, 0x1048, 0xA0C1, 0x8000),
    (0, 14),
    True,
)
LEASE_ROUND = 4  # cycles
TIME_UP = 0xFFFFFFFF

READ_X, READ_Y = 0x4020, 0x4040  # in x, 32 and in y, 32: with autopush each is one cycle
TAKE_OSR = 0x80A0  # pull block


def load(program: Program):
    """The program as `rp2.StateMachine` wants it."""
    import rp2  # here: the programs are also read where there is no such chip

    first, last = program.wrap
    side = rp2.PIO.OUT_LOW if program.side else None

    # Called with the assembler's words in place of this module's names: all else is closed over.
    @rp2.asm_pio(sideset_init=side, autopush=not program.side, push_thresh=32)
    def loaded() -> None:
        for address, opcode in enumerate(program.opcodes):
            if address == first:
                wrap_target()
            line = word(opcode)
            if program.side:
                line.side(0)  # the bit is in the opcode; without it the side pin would be optional
            if address == last:
                wrap()

    return loaded
