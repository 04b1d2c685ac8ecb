"""gansource g2 as a stranger meets it: a file, and an answer as the contract has it."""

import contextlib
import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller.__main__ import main
from tests.accept.light_maker import Detectors, Light, Recording, recording
from tests.accept.ptu_maker import BY_NAME, file, records

ROOT = Path(__file__).parents[2]
PULSED = Light("pulsed", rate_cps=200e3, pulses_hz=40e6)
CONTINUOUS = Light("continuous", rate_cps=600e3)
KEYS = {
    "tau_ps", "counts", "g2", "norm", "delay_ps", "g2_zero", "g2_zero_err", "g2_zero_upper95",
    "g2_zero_raw", "g2_zero_raw_upper95", "g2_zero_neighbours", "lifetime_ps", "lifetime_err_ps",
    "rates_cps", "duration_s", "mode", "corrections", "fit",
}  # fmt: skip


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def saved(tags: Recording, folder: Path) -> Path:
    path = folder / "tags.npz"
    np.savez(path, time_ps=tags.time_ps, channel=tags.channel)
    return path


def called(*words: object) -> "subprocess.CompletedProcess[str]":
    """In a process of its own."""
    command = [sys.executable, "-m", "controller", "g2", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )


def answer(path: Path, *words: object) -> dict[str, Any]:
    out = path.with_name("out.json")
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        status = main(["g2", str(path), "--out", str(out), *map(str, words)])
    assert (status, complained.getvalue()) == (0, "")
    assert "g2(0)" in said.getvalue()
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_every_promised_figure_is_there_and_agrees(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    detectors = Detectors(jitter_ps=150, delay_ps=12_345, dark_cps=100)
    tags = recording(CONTINUOUS, detectors, 0.5, rng)
    found = answer(saved(tags, tmp_path))
    assert found.keys() >= KEYS
    tau, counts, norm = (np.array(found[name]) for name in ("tau_ps", "counts", "norm"))
    assert tau.tolist() == list(range(-100_000, 100_001, 100))
    assert found["delay_ps"] == pytest.approx(12_345, abs=300)
    a, b = (tags.arm(channel) - found["delay_ps"] * channel for channel in (0, 1))
    near = np.searchsorted(b, [a - 100_050, a + 100_050])
    pairs = np.concatenate([b[i:j] - at for at, i, j in zip(a, *near, strict=True)])
    edges = np.append(tau, tau[-1] + 100) - 50
    assert counts.tolist() == np.histogram(pairs[pairs < edges[-1]], edges)[0].tolist()
    span_ps = int(tags.time_ps[-1] - tags.time_ps[0])
    assert found["duration_s"] == pytest.approx(span_ps * 1e-12, rel=1e-12)
    clicks = [rate * found["duration_s"] for rate in found["rates_cps"]]
    assert clicks == pytest.approx([len(a), len(b)], rel=1e-12)
    expected = len(a) * len(b) * 100 / span_ps * (1 - np.abs(tau) / span_ps)
    assert norm == pytest.approx(expected, rel=1e-9)
    assert found["g2"] == pytest.approx((counts / norm).tolist())
    assert (found["mode"], found["g2_zero_neighbours"]) == ("cw", None)
    assert found["g2_zero"] == found["g2_zero_raw"]
    assert found["g2_zero"] < found["g2_zero_upper95"]
    assert found["lifetime_ps"] == pytest.approx(2609, abs=5 * found["lifetime_err_ps"])
    assert {part["name"] for part in found["corrections"]} == {"dead time", "afterpulsing"}


def test_what_is_named_is_taken_out_and_told_with_its_size(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    light = Light("dim", rate_cps=600e3, background=0.2)
    detectors = Detectors(jitter_ps=250, dead_ns=40, afterpulsing=0.02, dark_cps=20e3)
    path = saved(recording(light, detectors, 1.0, rng), tmp_path)
    words = ["--jitter-ps", 250, "--dark", "20e3,20e3", "--background", 0.2 * (1 - 40 / 640)]
    found = answer(path, *words, "--mode", "cw", "--delay-ps", 0)
    sizes = {part["name"]: part["size"] for part in found["corrections"]}
    assert list(sizes) == ["jitter", "dead time", "afterpulsing", "background", "dark"]
    assert all(part["applied"] for part in found["corrections"])
    assert found["g2_zero_raw"] + sum(sizes.values()) == pytest.approx(found["g2_zero"])
    assert abs(found["g2_zero"]) < 4 * found["g2_zero_err"]
    lit = 0.8 * 600 / 640
    filled = 1 - math.exp((0.3536 / 2.609) ** 2 / 2) * math.erfc(0.3536 / 2.609 / math.sqrt(2))
    raw = 1 - lit**2 * (1 - filled)
    assert found["g2_zero_raw"] == pytest.approx(raw, abs=0.1)
    assert found["g2_zero_raw_upper95"] > raw
    assert found["delay_ps"] == 0
    assert found["corrections"][1]["dead_ps"] == pytest.approx([40e3, 40e3], abs=2e3)


def test_pulses_are_seen_and_their_central_peak_measured(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    """Two emitters: 0.5 against uncorrelated pairs as against the neighbours."""
    light = Light("two", emitters=2, rate_cps=300e3, pulses_hz=40e6, lifetime_ns=2.0)
    tags = recording(light, Detectors(jitter_ps=150, delay_ps=-31_000), 1.0, rng)
    found = answer(saved(tags, tmp_path))
    assert (found["mode"], found["period_ps"]) == ("pulsed", pytest.approx(25_000, rel=1e-4))
    assert found["delay_ps"] == pytest.approx(-31_000, abs=300)
    assert abs(found["g2_zero"] - 0.5) < 4 * found["g2_zero_err"] < 0.2
    assert found["g2_zero_neighbours"] == pytest.approx(found["g2_zero"], rel=0.05)
    assert found["lifetime_ps"] == pytest.approx(2000, abs=5 * found["lifetime_err_ps"])
    assert found["fit"]["goodness"]["chance"] > 1e-3


def test_the_bunched_neighbours_of_a_blinker_are_no_norm(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    """On for a third of the time: neighbours of 3, and g2(0) is not made small by them."""
    light = Light("blinker", 2, 300e3, 2.0, pulses_hz=40e6, on_s=0.02, off_s=0.04)
    found = answer(saved(recording(light, Detectors(), 1.5, rng), tmp_path), "--mode", "pulsed")
    assert found["fit"]["neighbours"] == pytest.approx(2.0, abs=0.4)
    ratio = found["g2_zero"] / found["fit"]["neighbours"]
    assert found["g2_zero_neighbours"] == pytest.approx(ratio)
    assert found["g2_zero"] == pytest.approx(0.5, abs=0.1)
    assert "not blinking-corrected" in found["normalised_to"]


def test_a_t3_recording_tells_the_lifetime(tmp_path: Path, rng: np.random.Generator) -> None:
    tags = recording(PULSED, Detectors(jitter_ps=100), 1.0, rng)
    kind, times = BY_NAME["MultiHarp T3"], np.maximum(tags.time_ps + 50_000, 0)
    syncs, rest = np.divmod(times, 25_000)
    words = records(kind, syncs, tags.channel.astype(np.int64), rest // 4)
    path = tmp_path / "run.ptu"
    path.write_bytes(file(kind, words, 25e-9, 4e-12))
    found = answer(path)
    assert (found["mode"], found["period_ps"]) == ("pulsed", 25_000)
    assert found["lifetime_ps"] == pytest.approx(3000, abs=5 * found["lifetime_err_ps"])
    assert found["lifetime_err_ps"] < 15
    assert found["g2_zero"] < 4 * found["g2_zero_err"]


def test_a_sync_channel_among_the_tags_does_as_well(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    """Every hundredth pulse makes a sync, as dividers do; its tags are no clicks."""
    tags = recording(PULSED, Detectors(), 1.0, rng)
    sync = np.arange(0, 10**12, 2_500_000)
    times = np.concatenate([tags.time_ps, sync])
    order = np.argsort(times, kind="stable")
    channel = np.concatenate([tags.channel, np.full(len(sync), 7, np.uint8)])[order]
    path = tmp_path / "tags.npz"
    np.savez(path, time_ps=times[order], channel=channel)
    found = answer(path, "--sync", 7)
    assert found["period_ps"] == pytest.approx(25_000, rel=1e-6)
    assert found["channels"] == [0, 1]
    assert found["lifetime_ps"] == pytest.approx(3000, abs=5 * found["lifetime_err_ps"])
    assert found["rates_cps"][0] == pytest.approx(np.sum(tags.channel == 0), rel=1e-3)


def test_blinking_and_mandels_q_are_told(tmp_path: Path, rng: np.random.Generator) -> None:
    light = Light("blinker", rate_cps=300e3, on_s=0.03, off_s=0.01)
    found = answer(saved(recording(light, Detectors(), 2.0, rng), tmp_path))
    assert found["blinking"]["on_s"] == pytest.approx(0.03, rel=0.4)
    assert found["blinking"]["off_s"] == pytest.approx(0.01, rel=0.4)
    assert found["blinking"]["on_cps"] == pytest.approx(400e3, rel=0.1)
    assert max(part["q"] for part in found["mandel_q"]) > 100
    steady = recording(Light("laser", emitters=0, rate_cps=300e3), Detectors(), 1.0, rng)
    found = answer(saved(steady, tmp_path))
    assert found["blinking"] is None
    assert all(abs(part["q"]) < 0.4 for part in found["mandel_q"] if part["slice_s"] < 1e-2)


def test_poisson_light_is_flat_out_to_a_fifth_of_the_file(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    laser = recording(Light("laser", emitters=0, rate_cps=20e3), Detectors(), 1.0, rng)
    words = ["--window-ps", 2 * 10**11, "--bin-ps", 2 * 10**9, "--delay-ps", 0]
    found = answer(saved(laser, tmp_path), *words)
    counts, norm = np.array(found["counts"]), np.array(found["norm"])
    assert len(counts) == 201
    # Pairs of wide bins share their clicks; each holds 2e5 pairs of some 4 e4 clicks.
    blocks = (counts / norm)[:200].reshape(20, 10).mean(1)
    assert blocks == pytest.approx(np.ones(20), abs=0.02)


def test_picture_json_and_help(tmp_path: Path, rng: np.random.Generator) -> None:
    path = saved(recording(PULSED, Detectors(), 0.5, rng), tmp_path)
    png, out = tmp_path / "g2.png", tmp_path / "out.json"
    done = called(path, "--out", out, "--png", png, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert png.read_bytes().startswith(b"\x89PNG")
    brief, whole = json.loads(done.stdout), json.loads(out.read_text())
    assert brief == {
        name: whole[name] for name in whole if name not in {"tau_ps", "counts", "g2", "norm"}
    }
    assert "example: gansource g2" in called("--help").stdout
