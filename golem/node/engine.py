"""The turn: stamp, step, journal, and only then perform. `post` is the one door into the core.

An event that comes alone is committed at once; under load, all that arrive within a few milliseconds share a commit.
The journal holds events alone: the core is deterministic, so what was asked for and never completed follows from them
(docs/adr/0003-journal.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from golem.core.node import Core
from golem.core.state import NodeState
from golem.core.turn import Policies
from golem.errors import ConfigError, IllegalTransition, JournalFault
from golem.interfaces import IEntropy, IJournal, IMarketStrategy, ITaskTemplate
from golem.model import effects as f
from golem.model.events import Completion, Connected, Event, Heard, Stamp, TimerFired
from golem.model.value import Value
from golem.node.mail import Mail
from golem.wire.codec import Decoder, encode

MAX_GROUP = 256  # events per commit: about 10 ms of turns
COMMIT_GAP_S = 0.004  # between commits under load: a sync to disk takes 1-3 ms, whatever is in it
SNAPSHOT_TURNS = 20_000  # replayed in about a second

OTHER_STRATEGY = (
    "node.strategy: the last run was killed, and its journal can be replayed by the strategy that it had alone: "
    'set it to "{}", start the node, stop it, and change it then'
)

log = Logger()


class Record(Value, array_like=True):
    """One turn in the journal."""

    stamp: Stamp
    event: Event


class Saved(msgspec.Struct):
    """All that a restart needs. `pending`: effects without their event yet. `timers`: when each one fires."""

    state: NodeState
    mail: Mail
    pending: dict[str, f.Pending] = {}
    timers: dict[str, int] = {}
    last_ms: int = 0


class Performer(Protocol):
    """What carries effects out."""

    def perform(self, effect: f.Effect, number: int) -> None:
        """Begin to carry out an effect. `number`: of a message to send; else 0."""

    def committed(self, heard: Mapping[str, int]) -> None:
        """These numbers, by peer, are on disk."""


_records: Decoder[Record] = Decoder(Record)
_saved: Decoder[Saved] = Decoder(Saved)


class Engine:
    """Holds the core and its journal; turns events into effects, durably.

    `policies`: what the user plugged in. `broken`: fails with the JournalFault after which it takes no more events,
    since what it knows is ahead of the disk.
    """

    def __init__(
        self,
        journal: IJournal,
        templates: Mapping[str, ITaskTemplate],
        strategy: IMarketStrategy,
        clock: IReactorTime,
        entropy: IEntropy,
    ) -> None:
        self._journal = journal
        self._templates = templates
        self._strategy = strategy
        self._clock = clock
        self._entropy = entropy
        self._inbox: deque[Event] = deque()
        self._call: IDelayedCall | None = None
        self._performer: Performer | None = None
        self.broken: Deferred[None] = Deferred()
        self._turns = 0
        self._committed_s = 0.0
        self._observers: list[Callable[[Event, list[f.Effect]], None]] = []
        self.saved = Saved(state=NodeState(), mail=Mail())
        self.policies = Policies(templates, strategy)
        self._core = Core(self.saved.state, self.policies)

    @property
    def state(self) -> NodeState:
        """What the node knows; for reading only."""
        return self.saved.state

    @property
    def mail(self) -> Mail:
        """The messages of this node."""
        return self.saved.mail

    def observe(self, observer: Callable[[Event, list[f.Effect]], None]) -> None:
        """Have `observer` called after each turn, before it is on disk; for read models and invariants."""
        self._observers.append(observer)

    def recover(self, strategy: str = "") -> int:
        """Load the snapshot and replay what came after; says how many turns were replayed. Raises JournalFault.

        `strategy`: which one decides, as `Settings` names it. Raises ConfigError where another took those turns.
        """
        snapshot, turns = self._journal.replay()
        if snapshot is not None:
            self.saved = _saved.decode(snapshot)
            self._core = Core(self.saved.state, self.policies)
        for turn in turns:
            record = _records.decode(turn)
            self._step(record.event, record.stamp)
        self._turns = len(turns)
        started = self.state.started
        if turns and started is not None and started.settings.strategy != strategy:
            raise ConfigError(OTHER_STRATEGY.format(started.settings.strategy))
        return len(turns)

    def start(self, performer: Performer) -> None:
        """Perform again what an earlier run did not complete, and take events from now on."""
        self._performer = performer
        for name, at_ms in list(self.saved.timers.items()):
            performer.perform(f.SetTimer(name=name, at_ms=at_ms), 0)
        for effect in list(self.saved.pending.values()):
            performer.perform(effect, 0)
        if self._inbox:
            self._schedule()

    def stop(self) -> None:
        """Take what has arrived, and no more. The next run replays nothing, be its code or its policies others."""
        while self._inbox and self._performer is not None:
            if self._call is not None:
                self._call.cancel()
            self._turn()
        if self._performer is not None and self._turns:
            with suppress(JournalFault):  # then the turns are there, and are replayed
                self.snapshot()
        self._performer = None

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()

    def post(self, event: Event) -> None:
        """Something happened. It is taken with all else that arrives before the next commit."""
        self._inbox.append(event)
        if self._performer is not None:
            self._schedule()

    def _schedule(self) -> None:
        if self._call is None:
            rest = self._committed_s + COMMIT_GAP_S - self._clock.seconds()
            self._call = self._clock.callLater(min(max(0.0, rest), COMMIT_GAP_S), self._turn)

    def _turn(self) -> None:
        self._call = None
        performer = self._performer
        if performer is None:
            return
        asked: list[tuple[f.Effect, int]] = []
        records: list[bytes] = []
        heard: dict[str, int] = {}
        while self._inbox and len(records) < MAX_GROUP:
            event = self._inbox.popleft()
            if not self._is_stale(event):
                asked.extend(self._take(event, records))
                if isinstance(event, Heard) and event.sequence:
                    heard[event.peer] = event.sequence
        if records and not self._is_committed(records):
            return
        performer.committed(heard)
        for effect, number in asked:
            performer.perform(effect, number)
        if self._inbox:
            self._schedule()

    def _take(self, event: Event, records: list[bytes]) -> list[tuple[f.Effect, int]]:
        stamp = Stamp(at_ms=max(self.saved.last_ms, int(self._clock.seconds() * 1000)), salt=self._entropy.token(16))
        records.append(encode(Record(stamp=stamp, event=event)))
        return self._step(event, stamp)

    def _is_committed(self, records: list[bytes]) -> bool:
        """Put turns on disk; where that fails, nothing that they asked for is done, and none follows."""
        try:
            self._journal.append(records)
            self._turns += len(records)
            if self._turns >= SNAPSHOT_TURNS:
                self.snapshot()
        except JournalFault as why:
            self._performer = None
            self.broken.errback(why)
            return False
        self._committed_s = self._clock.seconds()
        return True

    def snapshot(self) -> None:
        """Replace the turns so far by what they led to."""
        self._journal.snapshot(encode(self.saved))
        self._turns = 0

    def _is_stale(self, event: Event) -> bool:
        """Whether an event completes what was completed, fires what was cleared, or repeats what was heard."""
        match event:
            case Heard(sequence=number) if number:
                return number <= self.saved.mail.heard.get(event.peer, ("", 0))[1]
            case TimerFired(name=name):
                return name not in self.saved.timers
            case _:
                return isinstance(event, Completion) and event.key not in self.saved.pending

    def _step(self, event: Event, stamp: Stamp) -> list[tuple[f.Effect, int]]:
        saved = self.saved
        saved.last_ms = stamp.at_ms
        self._note(event, stamp)
        effects = self._decide(event, stamp)
        for observer in self._observers:
            observer(event, effects)
        return [(effect, self._track(effect)) for effect in effects]

    def _decide(self, event: Event, stamp: Stamp) -> list[f.Effect]:
        try:
            return self._core.step(event, stamp)
        except IllegalTransition as why:
            if isinstance(event, Heard):
                return [f.Drop(peer=event.peer, why=str(why))]
            log.failure("illegal transition on {event}", event=event)
            return []
        except Exception:  # noqa: BLE001 - a turn must not take the node down
            log.failure("the core failed on {event}", event=event)
            return []

    def _note(self, event: Event, stamp: Stamp) -> None:
        """What an event means for the books beside the core's."""
        saved = self.saved
        saved.mail.epoch = saved.mail.epoch or stamp.salt.hex()
        match event:
            case Heard(peer=peer, sequence=number) if number:
                saved.mail.take(peer, number)
            case Connected(peer=peer, epoch=epoch):
                saved.mail.meet(peer, epoch)
            case TimerFired(name=name):
                saved.timers.pop(name, None)
            case _:
                if isinstance(event, Completion):
                    saved.pending.pop(event.key, None)

    def _track(self, effect: f.Effect) -> int:
        """What an effect means for the books beside the core's; a message to send gets its number."""
        saved = self.saved
        match effect:
            case f.Send(to=to, message=message):
                return saved.mail.push(to, message)
            case f.SetTimer(name=name, at_ms=at_ms):
                saved.timers[name] = at_ms
            case f.ClearTimer(name=name):
                saved.timers.pop(name, None)
            case _:
                if isinstance(effect, f.Pending):
                    saved.pending[effect.key] = effect
        return 0
