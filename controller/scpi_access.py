"""Who may do what: each role may do what those before it may."""

from enum import IntEnum


class Role(IntEnum):
    """What a host may do, bound to where it comes from."""

    MONITOR = 0  # looks
    OPERATOR = 1  # changes what the source does
    SERVICE = 2  # moves things by hand
