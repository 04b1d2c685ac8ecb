"""What the board answers whatever runs on it, and safe mode, which answers nothing else."""

from framing import Refused
from grammar import Talker
from update import Update

MAKER, MODEL = "gansource", "IO-1"
BOOT_VERSION = "1.1.0"
BOOT_PROTOCOL = 1  # what `common` holds, and no more; 0 would look like an error that is none


def common(slots, serial: str, model: str, version: str) -> dict:
    """The part of the vocabulary that needs no hardware; header to (handler, kinds, guarded)."""
    update = Update(slots)

    def firmware() -> str:
        slot, kept = (slots.running or "none").upper(), "TRIAL" if slots.on_trial else "KEPT"
        return f"{slot},{kept},{slots.identity(slots.running)},{slots.identity(slots.spare)}"

    def fault() -> str:
        why = slots.why.replace('"', "'")
        return f'"{why}"'

    return {
        "*IDN?": (lambda: f"{MAKER},{model},{serial},{version}", "", False),
        "SYSTem:FAULt?": (fault, "", False),
        "SYSTem:RESTart": (lambda: slots.leave("RESTARTED"), "", True),
        "FIRMware?": (firmware, "", False),
        "FIRMware:BEGin": (update.begin, "", True),
        "FIRMware:DATA": (update.data, "SIS", True),
        "FIRMware:DATA?": (update.progress, "", False),
        "FIRMware:COMMit": (update.commit, "S", True),
        "FIRMware:SWITch": (update.switch, "", True),
        "FIRMware:CONFirm": (slots.confirm, "", True),
    }


class SafeMode:
    """Dark for good, but it says who it is and why, and takes new firmware."""

    def __init__(self, slots, serial: str) -> None:
        table = common(slots, serial, MODEL + " (safe mode)", "boot " + BOOT_VERSION)
        table["LEASe"] = (self._refuse, "I", True)
        table["LEASe?"] = (lambda: "ENDED,0,SAFE,0", "", False)
        self._talker = Talker(BOOT_PROTOCOL, table, self.darken)

    def receive(self, data: bytes) -> bytes:
        return self._talker.receive(data)

    def tick(self) -> bool:
        return True

    def darken(self) -> None:
        """Nothing here ever lights anything."""

    def _refuse(self, _ms: int) -> None:
        raise Refused(-221, "safe mode")
