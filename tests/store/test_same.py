"""Two stores, one story: whatever happens, in memory and in Redis, leaves the same contents."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import product
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from hypothesis import Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stream_app.errors import FencedError, PositionMismatchError
from stream_app.model.events import Event
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.seen import DAYS
from stream_app.model.fold.tally import Tally
from stream_app.model.ports import Claim, Commit, Store
from stream_app.store import remembered
from tests.services.redis import VERSIONS, RedisServer

from .backends import P0, Backend, Held, Memory, Real
from .hand import DAY, HOUR, MINUTE, abandoned, answered, queued, told

Outcome = str | None
QUEUES = [f"q{n}" for n in range(5)]  # one more than the registry takes


class Hands:
    """One worker's hold of the partition, the same in both stores."""

    def __init__(self, claims: list[Claim]) -> None:
        self.claims = claims
        first, second = (claim.memory for claim in claims)
        assert first.time == second.time
        assert first.open == second.open
        assert first.recent.days == second.recent.days
        assert first.agents == second.agents
        assert claims[0].position == claims[1].position
        # Two folds: each store numbers counters as it likes.
        self.folds = [Fold(claim.targets, Tally(claim.numbers), claim.memory) for claim in claims]
        self.end = claims[0].position
        self.last: list[Commit] = []

    def commits(self, events: list[Event]) -> list[Commit]:
        for fold, event in product(self.folds, events):
            fold.record(event, event.at)
        start, self.end = self.end, (self.end or 0) + len(events)
        batch = uuid4().hex
        return [Commit(start=start, end=self.end, batch=batch, deltas=fold.take()) for fold in self.folds]


class Same(RuleBasedStateMachine):
    """Two workers fight over one partition of two stores, which lose replies, roll back and restart."""

    url: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.real = Real(self.url)
        self.real.client.flushall()
        self.backends: list[Backend] = [Memory(), self.real]
        self.stores: list[Store] = [backend.open(queue_cap=4) for backend in self.backends]
        self.workers: dict[int, Hands] = {}
        self.saved: list[list[Callable[[], None]]] = []
        self.now = 0.0

    def teardown(self) -> None:
        self.run(self.real.close())
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    def held(self) -> Held:
        first, second = (backend.held() for backend in self.backends)
        for name, value in vars(first).items():
            assert (name, value) == (name, vars(second)[name])
        return first

    def ask(self, hands: Hands, commits: list[Commit]) -> Outcome:
        """Have both stores apply it; gives how they refused, in the same way."""

        async def one(claim: Claim, commit: Commit) -> Outcome:
            try:
                await claim.apply(commit)
            except (FencedError, PositionMismatchError) as error:
                return type(error).__name__
            return None

        first, second = (self.run(one(*each)) for each in zip(hands.claims, commits, strict=True))
        assert first == second
        return str(first) if first else None

    @rule(worker=st.sampled_from([0, 1]), knows=st.booleans())
    def claim(self, worker: int, knows: bool) -> None:
        former = self.workers.get(worker)
        known = former.end if former and knows else None
        self.workers[worker] = Hands(
            [self.run(store.claim(P0, f"w{worker}", known)) for store in self.stores]
        )

    @rule()
    def new_processes(self) -> None:
        """Claims that are held go on; the next ones are made by somebody who remembers no names."""
        self.stores = [backend.open(queue_cap=4) for backend in self.backends]

    @rule(step=st.sampled_from([0, 1, 30, 600, 1300, 7300, 5 * HOUR // 1000, 3 * DAY // 1000]))
    def time_passes(self, step: int) -> None:
        self.now += step

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), ask_again=st.booleans())
    def apply(self, data: st.DataObject, ask_again: bool) -> None:
        worker = data.draw(st.sampled_from(sorted(self.workers)))
        hands = self.workers[worker]
        commits = hands.commits(data.draw(st.lists(self.events(), min_size=1, max_size=6)))
        before = self.held()
        if refused := self.ask(hands, commits):
            assert self.held() == before, refused
            del self.workers[worker]
            return
        assert self.held().position == hands.end
        hands.last = commits
        if ask_again:
            self.lost_reply(worker)

    def events(self) -> st.SearchStrategy[Event]:
        """Contacts come, are answered and give up, agents do this and that, now or up to three hours late."""
        contact = st.sampled_from("abcdef")
        moment = st.sampled_from([0, 0, 0, -20, -500, -1500, -3 * HOUR / 1000]).map(
            lambda late: self.now + late
        )
        state = st.sampled_from(["available", "break", "on_contact", "offline"])
        shift = st.builds(told, st.sampled_from("gh"), state, moment)
        return st.one_of(
            st.builds(queued, contact, moment, st.sampled_from(QUEUES), st.sampled_from(["voice", "chat"])),
            st.builds(answered, contact, moment),
            st.builds(abandoned, contact, moment),
            shift,
        )

    @precondition(lambda self: any(hands.last for hands in self.workers.values()))
    @rule(worker=st.sampled_from([0, 1]))
    def lost_reply(self, worker: int) -> None:
        """It was stored, but the worker was not told, and asks again."""
        hands = self.workers.get(worker)
        if hands is None or not hands.last:
            return
        before = self.held()
        if self.ask(hands, hands.last):
            del self.workers[worker]
        assert self.held() == before

    @rule()
    def remember(self) -> None:
        self.saved.append([backend.save() for backend in self.backends])

    @precondition(lambda self: self.saved)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        """The stores are those of a former moment; the workers don't know yet."""
        for restore in data.draw(st.sampled_from(self.saved)):
            restore()

    @invariant()
    def both_hold_the_same(self) -> None:
        held = self.held()
        assert len({hour * MINUTE // DAY for hour in held.recent}) <= DAYS


def test_the_same_story_in_both(redis_server_of: Callable[[str], RedisServer]) -> None:
    Same.url = redis_server_of(VERSIONS[-1]).url
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remembered, "CACHED", 4)  # cells are pushed out and read back all the time
        # Not made smaller when it fails: that takes minutes. The seed tells the story again.
        story = settings(max_examples=40, stateful_step_count=30, phases=[Phase.generate])
        run_state_machine_as_test(Same, settings=story)
