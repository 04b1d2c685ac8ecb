"""What can go wrong with a device, sorted by who must act."""


class DeviceFault(Exception):
    """Anything a device did or failed to do; carries its name for the operator."""

    def __init__(self, device: str, detail: str) -> None:
        super().__init__(f"{device}: {detail}")
        self.device = device
        self.detail = detail


class DeviceLost(DeviceFault):
    """No answer, or no wire: connect again."""


class DeviceGarbled(DeviceFault):
    """It answered, but not in its language: connect again."""


class DeviceRefused(DeviceFault):
    """It understood and said no: report, an operator decides."""


class DeviceStuck(DeviceFault):
    """It said yes and did not do it in time: report, an operator decides."""


class OutOfReach(DeviceFault):
    """The caller asked for the impossible: nothing was sent."""
