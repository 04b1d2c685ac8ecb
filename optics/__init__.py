"""Devices, and what light does. Knows nothing of maps or states."""
