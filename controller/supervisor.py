"""One task owns the hardware: it performs the present state until an event moves it on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from controller.snapshot import Newsstand
from controller.states import FURTHER, NEXT, WORKING, Event, State
from controller.wishes import NotNow, Outcome, Overtaken, Tripped, Unable
from optics.faults import DeviceFault, DeviceGarbled, DeviceLost

log = logging.getLogger(__name__)

Activity = Callable[[Any], Coroutine[Any, Any, Event | None]]
"""Told what the wish was about that led to it; None is its ordinary end."""

KEEPING = {State.SAFE, State.CONNECTING, State.RECOVERING, State.DEGRADED, State.LATCHED}
"""States in which the latest fault still says why."""


Fault = DeviceFault | Unable | Tripped


class Wish(NamedTuple):
    """Something asked of the hardware, and two promises: when it is begun, and how it went."""

    event: Event
    target: Any
    begun: Outcome
    ended: Outcome


class End(NamedTuple):
    """How a state's work ended."""

    event: Event
    fault: Fault | None = None
    wish: Wish | None = None
    finished: bool = True


class Supervisor:
    """Walks the table of states; the only caller of the activities."""

    def __init__(
        self,
        activities: Mapping[State, Activity],
        make_safe: Callable[[], Awaitable[None]],
        news: Newsstand,
    ) -> None:
        self._activities, self._make_safe, self._news = activities, make_safe, news
        self._summons = asyncio.Event()
        self._wish: Wish | None = None
        self._promises: set[Outcome] = set()
        self.promised = self.state

    @property
    def state(self) -> State:
        return self._news.latest.state

    def request(self, event: Event, target: Any = None) -> Wish:
        """Ask for a change of state, and for the work of the state it leads to.

        Judged against the state that earlier wishes have been promised. The latest wins: one
        that was granted but not yet begun is overtaken, so a stop is never too early.
        """
        if (self.promised, event) not in NEXT:
            raise NotNow(f"{event.name} while {self.promised.name}")
        wish, before = Wish(event, target, self._promise(), self._promise()), self._wish
        if before is not None:
            _tell(before.begun, None)
            words = f"{before.event.name} was ended by {event.name}"
            _tell(before.ended, Overtaken(words) if self.promised in WORKING else None)
        self._wish, self.promised = wish, NEXT[self.promised, event]
        self._summons.set()
        return wish

    async def run(self) -> None:
        """Go on until cancelled; whatever ends it, everything is safe before it ends."""
        pending: Wish | None = None
        try:
            while True:
                end = await self._perform(pending.target if pending else None)
                if end.wish is None:
                    self.promised = NEXT[self.state, end.event]
                if end.event in (Event.LOST, Event.TRIPPED):
                    self.promised = NEXT[self.state, end.event]  # outranks every wish
                if self.promised in (State.SAFE, State.LATCHED):
                    await self._make_safe()  # done before it is announced
                before = self.state
                self._announce(end, self.promised)
                pending = _settle(pending, end, before, self.promised)
        finally:
            self.promised = State.SAFE
            await self._make_safe()
            for promise in tuple(self._promises):
                _tell(promise, Overtaken("the controller stopped"))

    async def _perform(self, target: Any) -> End:
        """Whatever ends the activity first: its own result, its fault, or a wish."""
        work = asyncio.create_task(self._activities[self.state](target))
        summons = asyncio.create_task(self._summons.wait())
        try:
            await asyncio.wait({work, summons}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()  # means nothing to work that is done
            summons.cancel()
            await asyncio.gather(work, summons, return_exceptions=True)
        wish, self._wish = self._wish, None
        self._summons.clear()
        error = None if work.cancelled() else work.exception()
        if isinstance(error, Fault):
            return End(_event_of(error), error, wish)
        if error is not None:
            raise error  # a defect: the process ends, and its restart is the recovery
        if wish is not None:
            return End(wish.event, wish=wish, finished=not work.cancelled())
        return End(work.result() or Event.DONE)

    def _promise(self) -> Outcome:
        promise: Outcome = asyncio.get_running_loop().create_future()
        self._promises.add(promise)
        promise.add_done_callback(self._promises.discard)
        promise.add_done_callback(_heard)
        return promise

    def _announce(self, end: End, target: State) -> None:
        before = self._news.latest
        again = before.fault is not None and target in (State.SAFE, State.CONNECTING)
        level = logging.DEBUG if again else logging.INFO  # one outage fills no log
        log.log(level, "%s --%s--> %s", before.state.name, end.event.name, target.name)
        if end.fault is not None and str(end.fault) != str(before.fault):
            log.warning("%s", end.fault)  # once for each outage, not for each attempt
        kept = before.fault if target in KEEPING else None
        latched = str(end.fault or before.latched) if target is State.LATCHED else ""
        self._news.publish(state=target, fault=end.fault or kept, latched=latched)


def _event_of(fault: Fault) -> Event:
    if isinstance(fault, Tripped):
        return Event.TRIPPED
    if isinstance(fault, Unable):
        return Event.UNABLE
    return Event.LOST if isinstance(fault, DeviceLost | DeviceGarbled) else Event.REFUSED


def _settle(pending: Wish | None, end: End, before: State, target: State) -> Wish | None:
    """Tell those who wait; returns the wish that the next state's work will fulfil."""
    if pending is not None and (before, target) in FURTHER and end.fault is None:
        return pending
    if pending is not None:
        words = f"{pending.event.name} was ended by {end.event.name}"
        overtaken = None if end.finished else Overtaken(words)
        _tell(pending.ended, end.fault or overtaken)
    if end.wish is None:
        return None
    _tell(end.wish.begun, None)
    if end.fault is None and target in WORKING:
        return end.wish
    _tell(end.wish.ended, end.fault)
    return None


def _tell(outcome: Outcome, error: Exception | None) -> None:
    if outcome.done():
        return  # whoever asked no longer waits
    if error is None:
        outcome.set_result(None)
    else:
        outcome.set_exception(error)


def _heard(outcome: Outcome) -> None:
    """A fault nobody waited for has been logged and published; it is no loose end."""
    if not outcome.cancelled():
        outcome.exception()
