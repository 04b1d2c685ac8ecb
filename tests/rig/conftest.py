"""Rig tests look from outside: at what a host is answered and at the rig's truth."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.rig.bench import Bench, powered


@pytest.fixture
async def bench(tmp_path: Path, seed: int) -> AsyncIterator[Bench]:
    async with powered(tmp_path, seed) as running:
        yield running
