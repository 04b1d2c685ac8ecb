"""Rivals of `gansource locate`, each with one tuned threshold, in an environment that has them.

    python rival_finders.py FRAMES.npz OUT.json

Reads `sigmas` and for each `frames0`, `frames1`... (n, h, w; photons); writes per rival and set the
spots of each frame and CPU seconds. Rivals: sep, photutils PSF, Picasso (maximum likelihood).
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Spots = list[list[float]]  # x, y, snr, x_err, y_err


def sep(frame: Any, sigma: float) -> Spots:
    library: Any = importlib.import_module("sep")
    data = np.ascontiguousarray(frame, np.float32)
    back = library.Background(data, bw=32, bh=32)
    clean = data - back
    away = np.arange(-3, 4) / sigma
    bell = np.exp(-0.5 * away**2)
    seen = library.extract(clean, 2.5, err=back.globalrms, filter_kernel=np.outer(bell, bell))
    x, y, _ = library.winpos(clean, seen["x"], seen["y"], sigma)
    error = np.sqrt(np.maximum([seen["errx2"], seen["erry2"]], 1e-6))
    snr = seen["cpeak"] / back.globalrms
    return [[float(value) for value in row] for row in np.column_stack([x, y, snr, *error])]


def photutils(frame: Any, sigma: float) -> Spots:
    detection: Any = importlib.import_module("photutils.detection")
    psf: Any = importlib.import_module("photutils.psf")
    background: Any = importlib.import_module("photutils.background")
    ground = background.Background2D(frame, 32)
    error = np.sqrt(np.maximum(frame, 1) + 2)
    rms = float(np.median(ground.background_rms))
    finder = detection.DAOStarFinder(2.5 * rms, 2.355 * sigma)
    model = psf.CircularGaussianPRF(fwhm=2.355 * sigma)
    fit = psf.PSFPhotometry(model, 7, finder=finder, aperture_radius=2 * sigma)
    table = fit(frame - ground.background, error=error)
    if table is None:
        return []
    snr = table["flux_fit"] / np.maximum(table["flux_err"], 1e-9)
    columns = table["x_fit"], table["y_fit"], snr, table["x_err"], table["y_err"]
    return [row for row in np.column_stack(columns).tolist() if np.isfinite(row).all()]


def picasso(frame: Any, sigma: float) -> Spots:
    localize: Any = importlib.import_module("picasso.localize")
    mle: Any = importlib.import_module("picasso.gaussmle")
    box = 2 * round(2.7 * sigma) + 1
    movie = frame[None].astype(np.float32)
    gradient = 15 * np.sqrt(np.median(frame)) * (7 / box)
    found = localize.identify(movie, gradient, box, threaded=False)
    camera = {"Baseline": 0, "Sensitivity": 1, "Gain": 1, "Qe": 1}
    spots = localize.get_spots(movie, found, box, camera)
    if not len(spots):
        return []
    theta, bounds, *_ = mle.gaussmle(spots, 0.001, 100, method="sigmaxy")
    corner = np.column_stack([found.x, found.y]) - box // 2
    snr = theta[:, 2] / np.sqrt(np.maximum(theta[:, 3], 0.1) * 4 * np.pi * sigma**2)
    errors = np.sqrt(bounds[:, :2])
    rows = np.column_stack([theta[:, :2] + corner, snr, errors])
    return [[float(value) for value in row] for row in rows if np.isfinite(row).all()]


def main() -> None:
    out = Path(sys.argv[2])
    with np.load(sys.argv[1]) as stored:
        sets = [stored[f"frames{i}"].astype(float) for i in range(len(stored["sigmas"]))]
        sigmas = stored["sigmas"].tolist()
    told: dict[str, Any] = {}
    for rival in (sep, photutils, picasso):
        try:
            rival(sets[0][0], sigmas[0])  # imports and compiles
            told[rival.__name__] = [_timed(rival, *one) for one in zip(sets, sigmas, strict=True)]
        except (ImportError, AttributeError, TypeError, ValueError) as err:
            sys.stderr.write(f"{rival.__name__}: {err!r}\n")
    out.write_text(json.dumps(told))


def _timed(rival: Callable[[Any, float], Spots], stack: Any, sigma: float) -> dict[str, Any]:
    began = time.process_time()
    spots = [rival(frame, sigma) for frame in stack]
    return {"spots": spots, "cpu_s": time.process_time() - began}


if __name__ == "__main__":
    main()
