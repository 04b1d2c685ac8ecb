"""What was learnt of this rack and outlives a power cut, beside the chips: chart and heights."""

import json
from typing import Any

from controller.store import Store
from mapping.chart import Chart
from optics.quantities import PixelPoint

CHART, HEIGHTS = "chart", "focus heights"
REMEMBERED = 8


class Knowledge:
    """Small facts in the store's settings, each a JSON text."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def chart(self) -> Chart | None:
        """How the camera's pixels lie under the stage."""
        known = self._read(CHART)
        if known is None:
            return None
        return Chart(tuple(known["matrix"]), PixelPoint(*known["focus"]))

    async def keep_chart(self, chart: Chart) -> None:
        await self._write(CHART, {"matrix": chart.matrix, "focus": chart.focus})

    @property
    def height_um(self) -> float | None:
        """Of the stage, where the chip may be expected in focus at the middle of its travel."""
        known = self._read(HEIGHTS)
        return sum(known) / len(known) if known else None

    async def keep_height(self, z_um: float) -> None:
        """The next is likelier near the mean of the latest than near any of them."""
        known = [*(self._read(HEIGHTS) or []), z_um]
        await self._write(HEIGHTS, known[-REMEMBERED:])

    def _read(self, name: str) -> Any:
        text = self._store.setting(name, "")
        return json.loads(text) if text else None

    async def _write(self, name: str, value: Any) -> None:
        await self._store.set_setting(name, json.dumps(value))
