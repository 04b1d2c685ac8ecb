"""A snapshot as the page's JSON: each figure with its uncertainty and its age, units in names."""

import math
from collections.abc import Mapping
from typing import Any

from controller.figures import Busy, Doubt, Pointing
from controller.snapshot import Snapshot

NM_PER_UM = 1e3


def told(now: Snapshot, at_s: float) -> dict[str, Any]:
    """All of the snapshot that a viewer may see, as of the instant `at_s`; None is not known."""
    return {
        **_standing(now, at_s),
        **_figures(now, at_s),
        "sites": [_site(name, now) for name in now.sites],
        "pose": _dated(now.pose, at_s),
        "survey": known(now.survey and now.survey._asdict()),
        "picture_age_s": at_s - now.picture.at_s if now.picture else None,
        "temperatures_k": {
            place: _dated(figure, at_s) for place, figure in now.temperatures_k.items()
        },
    }


def _standing(now: Snapshot, at_s: float) -> dict[str, Any]:
    return {
        "state": now.state.name,
        "busy": [bit.name for bit in Busy if bit in now.busy],
        "doubts": [bit.name for bit in Doubt if bit in now.doubts],
        "fault": str(now.fault or ""),
        "latched": now.latched,
        "interlock_closed": now.interlock_closed,
        "output": now.output,
        "tracking": now.tracking,
        "hold_off_s": max(now.hold_off_until_s - at_s, 0.0),
        "epoch": now.epoch,
        "label": now.label,
        "run": now.run_id,
        "uptime_s": at_s - now.started_s,
        "loop_lag_s": now.loop_lag_s,
    }


def _figures(now: Snapshot, at_s: float) -> dict[str, Any]:
    return {
        "brightness_cps": _dated(now.brightness_cps, at_s),
        "purity": _dated(now.purity, at_s),
        "photons": _dated(now.photons, at_s),
        "pointing": _pointing(now.pointing, at_s),
        "tracking_loss": _dated(now.tracking_loss, at_s),
        "power_uw": _dated(now.power_uw, at_s),
        "power_set_uw": now.power_set_uw,
    }


def known(value: Any) -> Any:
    """The same, with None where a number is not finite; JSON has no NaN."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: known(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [known(inner) for inner in value]
    return value


def _dated(figure: Any, at_s: float) -> Any:
    """Any named tuple whose last field is `at_s`."""
    if figure is None:
        return None
    fields = figure._asdict()
    fields["age_s"] = at_s - fields.pop("at_s")
    return known(fields)


def _pointing(pointing: Pointing | None, at_s: float) -> Any:
    if pointing is None:
        return None
    return known(
        {
            "error_nm": [NM_PER_UM * um for um in pointing.error_um],
            "sigma_nm": [NM_PER_UM * um for um in pointing.sigma_um],
            "share_of_peak": pointing.share_of_peak,
            "age_s": at_s - pointing.at_s,
        }
    )


def _site(name: str, now: Snapshot) -> Any:
    fields = now.sites[name]._asdict()
    state = fields.pop("state").name
    return known({"id": name, "selected": name == now.selected, "state": state, **fields})
