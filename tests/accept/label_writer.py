"""A child process that sets one label after the other, and says each once it is acknowledged."""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from controller.ledger import StoreFault
from controller.store import Store


async def write_labels(folder: Path) -> None:
    store = await Store.open(folder)
    last = int(store.setting("label", "0"))
    say(f"run {await store.begin_run()} label {last}")
    for number in itertools.count(last + 1):
        try:
            await store.set_setting("label", str(number))
        except StoreFault:
            say(f"refused {number}")
        else:
            say(f"acknowledged {number}")


def say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


if __name__ == "__main__":
    asyncio.run(write_labels(Path(sys.argv[1])))
