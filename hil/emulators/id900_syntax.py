"""SCPI as the ID900 reads it: headers in short or long form, with the block's number in them.

Source: "Time Controller Series User Manual", section 9, and the commands that clients send.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

NO_SUCH_HEADER = "SCPI_ERR_UNKNOWN_COMMAND"  # unconfirmed: clients look for SCPI_ERR_ only
BAD_VALUE = "SCPI_ERR_BAD_VALUE"  # unconfirmed: likewise
NUMBERS = {"INPU#:COUN:INTE", "REC:DUR"}

LONG = (
    "ARM CLEAR COUNter DELAy DEVIce DURation EDGE ENABle ERRORS INPUt INTEgration LINK MODE NUMber "
    "PLAY RAW RECord REF RESEt SEND STAGe STOP THREshold TRIGger"
)
SHORT = {name.upper(): re.sub("[a-z]", "", name) for name in LONG.split()}

PER_INPUT = {
    "INPU#:COUN:INTE": "1000",
    "INPU#:COUN:MODE": "CYCL",
    "INPU#:DELA": "0",
    "INPU#:EDGE": "RISING",
    "INPU#:ENAB": "OFF",
    "INPU#:THRE": "1.0",
    "RAW#:REF:LINK": "TSCO5",
    "RAW#:SEND": "OFF",
    "RAW#:STOP:LINK": "TSCO#",
}
DEFAULTS = {
    "REC:DUR": "1000000000000",
    "REC:ENAB": "OFF",
    "REC:NUM": "1",
    "REC:TRIG:ARM:MODE": "MANU",
    **{
        key.replace("#", str(number)): value.replace("#", str(number))
        for key, value in PER_INPUT.items()
        for number in (1, 2, 3, 4)
    },
}


class Unit(NamedTuple):
    """One command: short header with # for the block's number, that number, and the rest."""

    header: str
    number: int
    value: str


def units(message: str) -> Iterator[Unit]:
    """The commands of a message; one that begins without a colon goes on in the path before."""
    path = ""
    for text in message.split(";"):
        header, _, value = text.strip().partition(" ")
        if not header:
            continue
        whole = header if header.startswith((":", "*")) else path + header
        path = whole.rpartition(":")[0] + ":" if ":" in whole.lstrip(":") else ""
        yield _unit(whole.lstrip(":"), value.strip())


def _unit(header: str, value: str) -> Unit:
    names = header.upper().rstrip("?").split(":")
    block = re.fullmatch(r"([A-Z]+)([1-4])", names[0])
    number = int(block[2]) if block else 0
    if block:
        names[0] = block[1]
    short = [SHORT.get(name, name) for name in names]
    short[0] += "#" if block else ""
    return Unit(":".join(short) + "?" * header.endswith("?"), number, value)


def is_positive(value: str) -> bool:
    """A number as clients write it, above zero and of a size that means something."""
    plain = re.fullmatch(r"\d{1,18}(\.\d*)?(e\+?\d\d?)?", value, re.ASCII | re.IGNORECASE)
    return plain is not None and 0.0 < float(value) < 1e18
