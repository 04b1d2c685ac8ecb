"""A supervisor whose activities end as a test tells them, and a diary of what happened when."""

import asyncio
from collections import defaultdict
from typing import Any

from controller.snapshot import Newsstand, Snapshot
from controller.states import Event, State
from controller.supervisor import Activity, Supervisor
from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused
from optics.quantities import StagePoint

Work = asyncio.Future[Event | None]
TARGET = StagePoint(1.0, 2.0, 3.0)
ON_THE_WAY = (State.CONNECTING, State.REGISTERING, State.LOCKING, State.VERIFYING)
LOST = DeviceLost("stage", "the wire is gone")
GARBLED = DeviceGarbled("stage", "it babbles")
REFUSED = DeviceRefused("stage", "GCS error 7")


class Toy:
    """Activities that end as a test tells them, and a diary of what happened in which order."""

    def __init__(self) -> None:
        self.news = Newsstand(Snapshot())
        self.diary: list[str] = []
        self.targets: list[Any] = []
        self.safe_takes_s = self.halt_takes_s = 0.0
        activities = {state: self._activity(state) for state in State}
        self.supervisor = Supervisor(activities, self._make_safe, self.news)
        self.running = asyncio.create_task(self.supervisor.run())
        self._begun: dict[State, asyncio.Queue[Work]] = defaultdict(asyncio.Queue)
        self.news.subscribe(lambda snapshot: self.diary.append(snapshot.state.name))

    def _activity(self, state: State) -> Activity:
        async def perform(target: Any) -> Event | None:
            self.targets.append(target)
            work: Work = asyncio.get_running_loop().create_future()
            self._begun[state].put_nowait(work)
            try:
                return await work
            except asyncio.CancelledError:
                await asyncio.sleep(self.halt_takes_s)
                self.diary.append(f"{state.name} halted")
                raise

        return perform

    async def _make_safe(self) -> None:
        self.diary.append("making safe")
        await asyncio.sleep(self.safe_takes_s)
        self.diary.append("safe")

    async def work_in(self, state: State) -> Work:
        """What ends the activity of that state, as soon as it has begun."""
        self.latest = await self._begun[state].get()
        return self.latest

    async def ready(self) -> Work:
        """All the way up; the diary begins there."""
        for state in ON_THE_WAY:
            (await self.work_in(state)).set_result(None)
        work = await self.work_in(State.READY)
        self.diary[:] = ["READY"]
        self.targets.clear()
        return work

    async def in_service(self) -> Work:
        await self.ready()
        await self.supervisor.request(Event.SERVE).ended
        return await self.work_in(State.SERVICE)
