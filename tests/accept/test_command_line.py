"""The command line as a stranger meets it: each command in a process of its own."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GANSOURCE = [sys.executable, "-m", "controller"]
RACK = """
[stage]
address = "tcp://127.0.0.1:1"
[scpi]
port = 0
hislip_port = 0
"""


def call(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [*GANSOURCE, *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def running(
    *words: object, ending: signal.Signals = signal.SIGTERM
) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """A controller that has said where it is found; stopped politely at the end."""
    command = [*GANSOURCE, "run", "--json", *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True) as child:
        try:
            assert child.stdout
            yield child, json.loads(child.stdout.readline())
        finally:
            child.send_signal(ending)
            child.wait(30)


def ask(address: str, message: str) -> str:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(message.encode() + b"\n")
        return wire.makefile().readline().strip()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["test", "--help"]])
def test_help_has_an_example(words: list[str]) -> None:
    done = call(*words)
    assert done.returncode == 0
    assert "example: gansource" in done.stdout


@pytest.mark.parametrize("words", [[], ["fly"], ["run", "--colour"], ["run", "--port", "x"]])
def test_wrong_usage_is_status_2(words: list[str]) -> None:
    done = call(*words)
    assert done.returncode == 2
    assert "usage: gansource" in done.stderr


def test_every_mistake_of_a_configuration_is_told_at_once_as_status_4(tmp_path: Path) -> None:
    path = tmp_path / "rack.toml"
    path.write_text('[stage]\nadress = "x"\nlow_um = [0.0]\n[scpi]\nport = 70000\n')
    done = call("run", "--config", path, "--data", tmp_path)
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 4
    for word in ("did you mean address", "stage.address is missing", "low_um", "port = 70000"):
        assert word in done.stderr
    assert str(path) in done.stderr
    assert done.stdout == ""


def test_an_address_that_is_none_is_status_4(tmp_path: Path) -> None:
    path = tmp_path / "rack.toml"
    path.write_text('[stage]\naddress = "COM3"\n[scpi]\nport = 0\n')
    done = call("run", "--config", path, "--data", tmp_path)
    assert done.returncode == 4
    assert "stage.address = 'COM3' is no address: write serial:///dev/ttyX" in done.stderr


def test_a_taken_port_is_status_5_and_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = call("run", "--port", port, "--data", tmp_path)
    assert done.returncode == 5
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr


def test_a_damaged_store_is_status_6_and_left_as_it_is(tmp_path: Path) -> None:
    database = tmp_path / "gansource.sqlite"
    database.write_bytes(b"no database " * 1000)
    done = call("run", "--port", 0, "--data", tmp_path)
    assert done.returncode == 6
    assert str(database) in done.stderr
    assert database.read_bytes() == b"no database " * 1000


def test_two_rigs_on_one_machine_do_not_meet_and_one_store_has_one_controller(
    tmp_path: Path,
) -> None:
    with (
        running("--data", tmp_path / "a") as (first, found),
        running("--data", tmp_path / "b") as (_, other),
    ):
        assert found["scpi_tcp"] != other["scpi_tcp"]
        assert "emulated rig" in ask(found["scpi_tcp"], "*IDN?")
        assert "emulated rig" in ask(other["scpi_tcp"], "*IDN?")
        third = call("run", "--port", 0, "--data", tmp_path / "a")
        assert third.returncode == 5
        assert str(first.pid) in third.stderr
    assert first.returncode == 0
    assert not Path(found["scpi_serial"]).exists(), "the rig's folder is left behind"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_whoever_stops_it_it_stops_safely(tmp_path: Path, ending: signal.Signals) -> None:
    with running("--port", 0, "--data", tmp_path, ending=ending) as (child, found):
        assert "emulated" in ask(found["scpi_tcp"], "*IDN?")
        with urllib.request.urlopen(f"{found['web']}api/state", timeout=30) as page:  # noqa: S310
            assert json.load(page)["run"] == found["run_id"]
    assert child.returncode == 0
    assert not Path(found["scpi_serial"]).exists()


def test_real_devices_that_are_absent_are_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "rack.toml"
    path.write_text(RACK)
    with running("--config", path, "--data", tmp_path) as (child, found):
        assert "emulated" not in ask(found["scpi_tcp"], "*IDN?")
        while (fault := ask(found["scpi_tcp"], "SOUR:FAUL?")) == '""':
            pass  # it has only just begun to look; the test's time limit bounds this
        assert "stage: cannot be reached" in fault
    assert child.returncode == 0
