"""Strangers' clients on the endpoints of `gansource rig`, and the truth from its control socket.

    unshare --map-root-user --net python tests/accept/strangers_session.py FOLDER gige

Prints one JSON object of what was seen; `test_strangers.py` judges it. Without the last word the
rig has no GigE camera, and no namespace is needed.
"""

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from numpy.typing import NDArray

from optics.frame_camera import CameraSettings, FrameCamera
from optics.frame_process import camera_opener
from optics.link import Patience
from tests.accept.loopback import loopback_up

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
ADDRESS, TOOL = "127.0.0.1", "arv-camera-test-0.8"
EXPOSURE_S = 0.5
STEP_UM, STEPS, NEAR_UM = 0.2, 9, 0.7
EVEN_CHIP = """
[world.chip]
width_um = 40.0
sites_per_um2 = 0.08
pair_share = 0.0
cluster_share = 0.0
depth_sigma_um = 0.0
deep_share = 0.0
blinker_share = 0.0
jumper_share = 0.0
bleach_per_h = 0.0
saturated_sd_cps = 0.0
saturation_sd_uw = 0.0
dipole_visibility = [0.0, 0.0]
wavelength_nm = [650.0, 650.0]
unevenness = 0.0
dislocations = 0
[world.pose]
shift_um = 2.0
"""
"""Every emitter alike, in focus and always there, so that each must be seen."""


def main() -> None:
    folder, gige = Path(sys.argv[1]), sys.argv[2:] == ["gige"]
    if gige:
        loopback_up()
    scenario, ends = folder / "even.toml", folder / "rig.json"
    scenario.write_text(EVEN_CHIP)
    words = ("-m", "hil", "rig", *["--gige"] * gige)
    with running(*words, "--scenario", scenario, "--endpoints", ends) as (rig, told):
        control = json.loads(told)["control"]
        seen = {"stage": moved(json.loads(told)["stage"]), "stands": asked(control, "truth")}
        seen |= scanned(ends, np.array(seen["stands"]["aim_um"]), control)
        if gige:
            with running(HERE / "wide_light.py", ends):
                seen |= grabbed(folder, control)
        rig.terminate()
        seen["ended"] = rig.wait(30)
    sys.stdout.write(json.dumps(seen) + "\n")


@contextmanager
def running(*words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of ours, from its first line on."""
    command = [sys.executable, *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child, child.stdout.readline()
        finally:
            child.kill()


def said(*words: object) -> Any:
    """By a stranger's client, as JSON."""
    command = [sys.executable, *map(str, words)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def asked(control: str, what: str) -> Any:
    """Of the rig's truth."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(control)
        client.sendall(json.dumps({what: True}).encode() + b"\n")
        return json.loads(client.makefile().readline())


def moved(address: str) -> Any:
    """By PIPython: its own words on where the stage stands in the end."""
    path = address.removeprefix("serial://")
    return said(HERE / "pipython_session.py", "ATZ", "serial", path)["moves"][-1]


def scanned(ends: Path, places_um: NDArray[np.float64], control: str) -> dict[str, Any]:
    """Around the emitter with the most neighbours, and what lay there in truth."""
    apart_um = np.abs(places_um[:, None, :2] - places_um[None, :, :2]).max(axis=2)
    centre = places_um[np.argmax((apart_um < NEAR_UM).sum(axis=1))].tolist()
    cps = said(HERE / "raster.py", ends, *centre, STEP_UM, STEPS)
    return {"cps": cps, "centre_um": centre, "aim_um": asked(control, "truth")["aim_um"]}


def grabbed(folder: Path, control: str) -> dict[str, Any]:
    """Frames by strangers and by our own driver, and what was before the camera."""
    seen = {"tool": tool()} if shutil.which(TOOL) else {}
    out = folder / "grabbed.npy"
    words = (HERE / "aravis_grab.py", ADDRESS, out, EXPOSURE_S * 1e6)
    subprocess.run([sys.executable, *map(str, words)], check=True)
    np.save(folder / "ours.npy", asyncio.run(our_frame()))
    files = {"theirs": str(out), "ours": str(folder / "ours.npy")}
    return seen | files | {"sight": asked(control, "sight")["emitters"]}


def tool() -> dict[str, int]:
    """Aravis' own client for two seconds: its counts."""
    command = [TOOL, "-n", ADDRESS, "--duration=2"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {name: int(value) for name, value in re.findall(r"(n_\w+) *= (\d+)", told)}


async def our_frame() -> Any:
    patience = Patience(reply_s=3.0, open_s=20.0)
    camera = FrameCamera(camera_opener(f"aravis://{ADDRESS}", {}), CameraSettings(), patience)
    try:
        await camera.connect()
        return (await camera.frame(EXPOSURE_S)).pixels
    finally:
        await camera.aclose()


if __name__ == "__main__":
    main()
