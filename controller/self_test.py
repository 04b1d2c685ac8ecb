"""Every check that disturbs nobody, each with what is wrong."""

from collections.abc import Sequence

from controller.desk import Desk
from controller.ledger import StoreFault
from controller.wishes import Check

STALE_S = 3.0
"""A stage that has told nothing for so long does not answer."""


async def self_test(desk: Desk) -> Sequence[Check]:
    """From the store, the snapshot and what was configured."""
    now = desk.news.latest
    missing = desk.devices.missing
    silent_s = desk.now_s() - now.position_at_s
    stage = str(now.fault or "is not connected yet") if now.position is None else ""
    if not stage and silent_s > STALE_S:
        stage = f"has told nothing for {silent_s:.1f} s"
    lag_s, alarm_s = now.loop_lag_s, desk.config.watchdog.lag_alarm_s
    return (
        Check("store", await _try_store(desk)),
        Check("stage", stage),
        Check("rack", f"no {', no '.join(missing)}" if missing else ""),
        Check("interlock", "is open" if now.interlock_closed is False else ""),
        Check("event loop", f"late by {lag_s:.3f} s" if lag_s > alarm_s else ""),
    )


async def _try_store(desk: Desk) -> str:
    """Writes a line that is on the disk when it returns."""
    try:
        await desk.store.audit("self-test", "the store takes writes")
    except StoreFault as fault:
        return str(fault)
    return ""
