"""PI's own client drives a stage: `pipython_session.py ATZ|FRF tcp HOST PORT | serial PATH`.

A process of its own, because PIPython keeps each connection of a process in one list. What it
was told goes to standard output as JSON.
"""

import json
import sys
from typing import Any

from pipython import GCSDevice, GCSError, pitools
from pipython.pidevice.interfaces.piserial import PISerial
from pipython.pidevice.interfaces.pisocket import PISocket

POLL_S = 0.01
BAUD = 115_200


def connected(kind: str, *address: str) -> Any:
    if kind == "tcp":
        return PISocket(address[0], int(address[1]))
    return PISerial(address[0], BAUD)


def refusal(call: Any, *arguments: Any) -> list[Any]:
    """Error number and text that the call ends in, or an empty list."""
    try:
        call(*arguments)
    except GCSError as err:
        return [err.val, str(err)]
    return []


def session(stage: Any, referencing: str) -> dict[str, Any]:
    told: dict[str, Any] = {"identity": stage.qIDN().strip(), "axes": stage.axes}
    told["refused_at_first"] = refusal(stage.MOV, stage.axes[0], 0.5)
    pitools.startup(stage, refmodes=referencing)
    told["servo"] = dict(stage.qSVO())
    told["referenced"] = dict(stage.qATZ() if referencing == "ATZ" else stage.qFRF())
    told["low"], told["high"] = dict(stage.qTMN()), dict(stage.qTMX())
    told["moves"] = [moved(stage, share) for share in (0.25, 0.75)]
    too_far = told["high"][stage.axes[0]] * 1.01
    told["out_of_limits"] = refusal(stage.MOV, stage.axes[0], too_far)
    told["unknown"] = refusal(stage.send, "XYZ")
    told["stopped"] = stopped(stage, stage.StopAll)
    told["stopped_by_line"] = stopped(stage, stage.STP)
    told["moves"].append(moved(stage, 0.5))
    told["error_in_the_end"] = stage.qERR()
    return told


def moved(stage: Any, share: float) -> dict[str, Any]:
    """Go to a share of the travel, wait, read back."""
    low, high = stage.qTMN(), stage.qTMX()
    target = {axis: low[axis] + share * (high[axis] - low[axis]) for axis in stage.axes}
    stage.MOV(target)
    pitools.waitontarget(stage, polldelay=POLL_S)
    return {"target": target, "position": dict(stage.qPOS()), "moving": dict(stage.IsMoving())}


def stopped(stage: Any, stop: Any) -> dict[str, Any]:
    """Begin a slow move and stop it."""
    axis, velocity = stage.axes[0], stage.qVEL()
    stage.VEL(axis, velocity[axis] / 1000)
    stage.MOV(axis, stage.qTMX()[axis])
    began = stage.IsMoving()[axis]
    told = {"moving": began, "refusal": refusal(stop), "still_moving": stage.IsMoving()[axis]}
    stage.VEL(axis, velocity[axis])
    return told


def main() -> None:
    referencing, *wire = sys.argv[1:]
    with GCSDevice(gateway=connected(*wire)) as stage:
        json.dump(session(stage, referencing), sys.stdout)


if __name__ == "__main__":
    main()
