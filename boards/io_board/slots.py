"""Two slots of firmware: which one runs, and what happens when it does not come up.

Part of the boot code, which an update never overwrites. All of it is told by one small file
that is replaced as a whole, so a cut at any instant leaves the state before or after.
"""

import json

STATE = "state"
MANIFEST = "manifest"
# The files at the root of the flash; no slot may hold one of these names.
BOOT = (
    "main.py",
    "runtime.py",
    "slots.py",
    "update.py",
    "service.py",
    "grammar.py",
    "framing.py",
    "uptime.py",
    "flash.py",
)

MOST_CRASHES = 3
FRESH = {"active": "a", "trial": "", "boots": 0, "crashes": 0, "left": "", "why": ""}


def other(slot: str) -> str:
    return "b" if slot == "a" else "a"


class Slots:
    """`choose` at boot, then `confirm`, `switch` and `leave` as life goes on.

    A slot that was switched to is on trial: it gets one start, and whoever switched has to
    confirm it, or the next start takes the other one again.
    """

    def __init__(self, storage) -> None:
        self.storage = storage
        self.running = ""
        self.cause = ""
        self._state = self._load()

    @property
    def on_trial(self) -> bool:
        return self._state["trial"] == "tried"

    @property
    def leaving(self) -> bool:
        """A reset has been asked for."""
        return bool(self._state["left"])

    @property
    def boots(self) -> int:
        return self._state["boots"]

    @property
    def why(self) -> str:
        """What last went wrong with the firmware, in words."""
        return self._state["why"]

    @property
    def spare(self) -> str:
        """The slot that an update may overwrite."""
        return other(self.running or self._state["active"])

    def choose(self, by_watchdog: bool) -> str:
        """Count this start and name the slot to run; none means safe mode."""
        state = self._state
        left, state["left"] = state["left"], ""
        if left:
            self.cause = left
        else:
            self.cause = "WATCHDOG" if by_watchdog else "POWER"
        state["boots"] += 1
        self._judge_trial_or_count_crash(state)
        self.running = "" if state["crashes"] >= MOST_CRASHES else self._intact_one(state)
        try:
            self._save()
        except OSError:  # a flash that is full or worn must not keep the board from answering
            state["why"] = "the state file cannot be written"
        return self.running

    def steady(self) -> None:
        """The firmware has run for long enough to be trusted again."""
        if self._state["crashes"]:
            self._state["crashes"] = 0
            self._save()

    def leave(self, cause: str, why: str = "") -> None:
        """Note why the next start will come; without it, it was the power or the watchdog."""
        self._state["left"] = cause
        self._state["why"] = why or self._state["why"]
        self._save()

    def switch(self) -> None:
        """Take the other slot at the next start, on trial."""
        self._state.update(active=self.spare, trial="new", left="SWITCHED", crashes=0, why="")
        self._save()

    def confirm(self) -> None:
        """Keep the running slot."""
        self._state["trial"] = ""
        self._save()

    def intact(self, slot: str) -> bool:
        """Whether every file of the slot is as its manifest says."""
        manifest = self.storage.read(slot + "/" + MANIFEST)
        if not manifest:
            return False
        for line in manifest.decode().split("\n")[:-1]:
            name, _, digest = line.partition(" ")
            if self.storage.digest(slot + "/" + name) != digest:
                return False
        return True

    def identity(self, slot: str) -> str:
        """The SHA-256 of the slot's manifest, by which its whole content is known."""
        return self.storage.digest(slot + "/" + MANIFEST) or "NONE"

    def _judge_trial_or_count_crash(self, state: dict) -> None:
        if state["trial"] == "tried":
            lost = state["active"]
            because = state["why"] or "ended by " + self.cause + " before it was confirmed"
            state["why"] = "slot " + lost + " given up: " + because
            state["active"] = other(lost)
            state["trial"] = ""
        elif state["trial"] == "new":
            state["trial"] = "tried"
        elif self.cause in ("CRASH", "WATCHDOG"):
            state["crashes"] += 1
            if self.cause == "WATCHDOG":
                state["why"] = "the loop stood still until the watchdog bit"
        else:
            state["crashes"] = 0

    def _intact_one(self, state: dict) -> str:
        for slot in (state["active"], other(state["active"])):
            if self.intact(slot):
                if slot != state["active"]:
                    state["why"] = "slot " + state["active"] + " is damaged or empty"
                    state["active"] = slot
                    state["trial"] = ""
                return slot
        state["why"] = "no slot holds firmware that is whole"
        return ""

    def _load(self) -> dict:
        state = dict(FRESH)
        try:
            told = json.loads(self.storage.read(STATE) or b"{}")
            for key, value in FRESH.items():
                if isinstance(told.get(key), type(value)):
                    state[key] = told[key]
        except (ValueError, AttributeError):
            state["why"] = "the state file was damaged"
        if state["active"] not in ("a", "b"):
            state["active"] = "a"
        return state

    def _save(self) -> None:
        self.storage.write(STATE, json.dumps(self._state).encode())
