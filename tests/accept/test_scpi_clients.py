"""Clients that no one here wrote, against the running controller on its rig."""

import asyncio
import json
import shutil
import sys
import venv
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from controller import __version__
from controller.scpi_commands import TREE
from hil.rig import WiredRig
from hil.wires import Manners
from tests.rig.bench import STAGE_ALONE

HERE = Path(__file__).parent
IDENTITY = f"gansource,SPS-1 (emulated rig),rig,{__version__}"
WITHIN_S = 300.0  # an environment is made under load


class Doors(NamedTuple):
    """Where the controller is found, as VISA resource names and as it is."""

    socket: str
    hislip: str
    serial: str
    host: str
    port: str


@pytest.fixture
async def doors(tmp_path: Path, seed: int) -> AsyncIterator[Doors]:
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(WiredRig(seed, Manners()))
        running = rig.controller(tmp_path / "data", rig.config(scpi_port=0, **STAGE_ALONE))
        found = await stack.enter_async_context(running)
        host, _, port = found.scpi_tcp.rpartition(":")
        _, _, hislip_port = found.scpi_hislip.rpartition(":")
        yield Doors(
            f"TCPIP::{host}::{port}::SOCKET",
            f"TCPIP::{host}::hislip0,{hislip_port}::INSTR",
            f"ASRL{rig.scpi_serial}::INSTR",
            host,
            port,
        )


async def run(*words: object) -> str:
    """What another process says; it must end well and in time."""
    process = await asyncio.create_subprocess_exec(
        *map(str, words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def visa(resource: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await run(sys.executable, HERE / "visa_session.py", resource))
    return told


def check(told: dict[str, Any]) -> None:
    assert told["identity"] == IDENTITY
    assert told["kept"] == "5"
    assert told["error"] == '-113,"Undefined header;NONSENSE"'
    assert told["no error"] == '0,"No error"'
    assert told["done"] == "1"
    assert told["stands at"] == pytest.approx([60e-6, 70e-6, 80e-6], abs=5e-8)
    assert told["headers"] == TREE.headers()
    assert told["block error"].startswith("-2"), "a refusal of what is no catalogue, read whole"


@pytest.mark.parametrize("door", ["socket", "serial"])
async def test_pyvisa_over_a_stream(doors: Doors, door: str) -> None:
    check(await visa(getattr(doors, door)))


async def test_pyvisa_over_hislip_polls_is_requested_clears_and_locks(doors: Doors) -> None:
    told = await visa(doors.hislip)
    check(told)
    assert [told["idle"], told["message available"], told["read"]] == [0, 16, 0]
    assert told["request"] == 96
    assert told["polls"] == [96, 32]
    assert told["after clear"] == "0"
    assert told["interrupting"] == "0"
    assert told["interrupted"] == '-410,"Query INTERRUPTED"'
    assert told["locks"] == ["success", 1, "success"]


@pytest.mark.skipif(not shutil.which("lxi"), reason="lxi-tools is not installed")
async def test_lxi_tools_over_raw_tcp(doors: Doors) -> None:
    ask = ("lxi", "scpi", "--raw", "--address", doors.host, "--port", doors.port)
    assert (await run(*ask, "*IDN?")).strip() == IDENTITY
    assert (await run(*ask, "SYST:VERS?;ERR:COUN?")).strip() == "1999.0;0"


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_pymeasures_generic_instrument_with_error_checking_on(
    doors: Doors, tmp_path: Path
) -> None:
    """In an environment of its own: it brings a whole desktop with it."""
    home = tmp_path / "pymeasure"
    await asyncio.to_thread(venv.create, home, with_pip=True)
    python = home / "bin" / "python"
    await run(python, "-m", "pip", "install", "--quiet", "pymeasure", "pyvisa-py")
    told = json.loads(await run(python, HERE / "pymeasure_session.py", doors.socket))
    assert told["id"] == IDENTITY
    assert told["options"] == "STAGE"
    assert told["power-on"] == 128
    assert told["set and checked"] == [5, 0]
    assert told["refused"] == [[-222, "Data out of range;256 is not in 0 to 255"]]
    assert told["complete"] == "1"
    assert told["next error"][0] == 0
