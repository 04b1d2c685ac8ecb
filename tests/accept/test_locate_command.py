"""`gansource locate` as a user calls it: kinds of file, form of the answer, every mistake."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from controller.__main__ import main
from tests.accept.spot_scenes import Kind, Scene, scene

KIND = Kind("plain", size_px=64, per_um2=0.2, photons=(1500, 4000))
KEYS = ["x", "y", "photons", "background", "x_err", "y_err", "snr", "flags"]
Files = tuple[Path, Scene]


@pytest.fixture
def files(tmp_path: Path, seed: int) -> Files:
    made = scene(KIND, np.random.default_rng(seed))
    (tmp_path / "camera.json").write_text(json.dumps(made.camera))
    return tmp_path, made


def located(folder: Path, *words: str) -> dict[str, Any]:
    out = folder / "out.json"
    assert main(["locate", *words, "--out", str(out)]) == 0
    answer: dict[str, Any] = json.loads(out.read_text())
    return answer


def written(path: Path, stack: Any) -> str:
    if path.suffix == ".npz":
        np.savez(path, frames=stack)
    elif path.suffix == ".tif":
        assert cv2.imwritemulti(str(path), list(stack))
    else:
        np.save(path, stack)
    return str(path)


@pytest.mark.parametrize("name", ["f.npy", "f.npz", "f.tif"])
def test_every_kind_of_file_gives_the_same_answer(files: Files, name: str) -> None:
    folder, made = files
    stack = np.array([made.pixels, made.pixels])
    answer = located(folder, written(folder / name, stack), "--camera", str(folder / "camera.json"))
    one, other = answer["frames"]
    assert one == other
    emitters = one["emitters"]
    assert list(emitters[0]) == KEYS
    alone = (made.crowd > 5) & (np.minimum(made.x, made.y) > 2) & (np.maximum(made.x, made.y) < 61)
    assert alone.sum() >= 3
    for x, y in zip(made.x[alone], made.y[alone], strict=True):
        near = [spot for spot in emitters if np.hypot(spot["x"] - x, spot["y"] - y) < 1]
        assert len(near) == 1
        assert abs(near[0]["x"] - x) < 6 * near[0]["x_err"]
        assert abs(near[0]["background"] - KIND.ground_photons) < 4


def test_one_frame_needs_no_camera(files: Files) -> None:
    folder, made = files
    answer = located(folder, written(folder / "f.npy", made.pixels))
    assert len(answer["frames"]) == 1
    assert answer["frames"][0]["emitters"]


def test_maps_lie_beside_the_camera(files: Files) -> None:
    folder, made = files
    np.save(folder / "gain.npy", np.full((64, 64), KIND.gain_e_per_adu))
    frames = written(folder / "f.npy", made.pixels)
    plain = located(folder, frames, "--camera", str(folder / "camera.json"))
    told = {**made.camera, "gain_e_per_adu": "gain.npy", "hot_pixels": [[3, 60]]}
    (folder / "maps.json").write_text(json.dumps(told))
    mapped = located(folder, frames, "--camera", str(folder / "maps.json"))
    assert len(mapped["frames"][0]["emitters"]) == len(plain["frames"][0]["emitters"])


def test_a_scan_map(files: Files) -> None:
    folder, made = files
    counts = (made.pixels.astype(float) - KIND.offset_adu).clip(0) * KIND.gain_e_per_adu
    path = folder / "counts.npy"
    np.save(path, np.rint(counts).astype(np.uint32))
    assert located(folder, "--scan", str(path))["frames"][0]["emitters"]


def changed(key: str, value: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda camera: {**camera, key: value}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("gain_e_per_adu", None), "gain_e_per_adu: missing"),
        (changed("gain_e_per_adu", -1), "gain_e_per_adu: -1"),
        (changed("offset_adu", "nowhere.npy"), "offset_adu"),
        (changed("read_noise_e", "small.npy"), "give numbers, 64 x 64"),
        (changed("psf_sigma_px", 0), "psf_sigma_px: 0"),
        (changed("hot_pixels", [[1, 2], [64, 0]]), "hot_pixels[1]"),
        (lambda _: [], "no object"),
    ],
)
def test_a_wrong_camera_is_told_in_one_line(
    files: Files,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], Any],
    words: str,
) -> None:
    folder, made = files
    np.save(folder / "small.npy", np.ones((3, 3)))
    (folder / "camera.json").write_text(json.dumps(change(made.camera)))
    frames = written(folder / "f.npy", made.pixels)
    refused(capsys, folder, [frames, "--camera", str(folder / "camera.json")], words)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("f.npy", np.zeros((2, 2, 9, 9), np.uint16), "shape"),
        ("f.npy", np.zeros((9, 9)), "float64"),
        ("f.npy", np.zeros((4, 9), np.uint16), "4 x 9"),
        ("f.npy", b"no array", "damaged"),
        ("f.npy", b"", "damaged"),
        ("f.tif", b"no picture", "TIFF"),
        ("f.npz", b"PK no zip", "damaged"),
        ("f.png", b"", ".npy"),
        ("f.npy", None, "No such file"),
    ],
)
def test_wrong_frames_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: Any, words: str
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    refused(capsys, tmp_path, [str(path)], words)


def refused(
    capsys: pytest.CaptureFixture[str], folder: Path, words: list[str], reason: str
) -> None:
    before = set(folder.iterdir())
    assert main(["locate", *words, "--out", str(folder / "out.json")]) == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert reason in error
    assert set(folder.iterdir()) == before
