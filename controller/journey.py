"""How long the way from power to photons takes, step by step."""


class Journey:
    """Steps of one way, each with the instant at which it was done."""

    def __init__(self) -> None:
        self._began_s = 0.0
        self._steps: list[tuple[str, float]] = []

    def begin(self, now_s: float) -> None:
        """Anew, from nothing."""
        self._began_s, self._steps = now_s, []

    def reached(self, step: str, now_s: float) -> None:
        self._steps.append((step, now_s))

    def told(self) -> str:
        """In seconds: from the beginning, since all devices were there, and each step's share."""
        if not self._steps:
            return "no step"
        devices_s, end_s = self._steps[0][1], self._steps[-1][1]
        starts_s = [self._began_s, *(at_s for _, at_s in self._steps)]
        parts = [
            f"{step} {at_s - since_s:.1f}"
            for (step, at_s), since_s in zip(self._steps, starts_s, strict=False)
        ]
        whole = f"{end_s - self._began_s:.1f} s from the start"
        return f"{whole}, {end_s - devices_s:.1f} s since the devices answered: {', '.join(parts)}"
