"""Decides, answers, reports: the only place where waiting and deciding meet."""

__version__ = "0.1.0"
