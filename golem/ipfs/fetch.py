"""Gets content from several nodes at once: the nodes of its graph first, then its leaves in runs, checked as they come.

Once all nodes are here, how large the content is and how many blocks it has is known, and was found to be within what
was agreed; only then is a leaf asked for. Runs of leaves go to whoever is free. Who turns out to have a part alone, as
it is still fetching itself, tells what that is, and is asked for no more. What has been checked stays when a source
fails. One that sends a wrong byte is reported and not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import NamedTuple, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.internet.posixbase import PosixReactorBase
from twisted.logger import Logger

from golem.errors import ContentMismatch, ContentMissing, DaemonFault, GolemError, StoreFault
from golem.interfaces import Accuse
from golem.ipfs.cid import Chunk, Key, to_text
from golem.ipfs.gateways import NOT_HERE, Behind, Flow, Gateways, Stops
from golem.ipfs.intake import Intake, Keeper
from golem.ipfs.kubo import Client
from golem.ipfs.runs import SPLIT_S, Holding, Run, Runs
from golem.ipfs.tickets import Channels, Pass
from golem.ipfs.workers import Workers
from golem.model.content import Incoming
from golem.model.messages import Place

R = TypeVar("R")

log = Logger()

MAX_SOURCES = 8  # asked for one content
MAX_REQUESTS = 8  # under way for one content; each may hold 4 MiB
MAX_BREAKS = 8  # of one source for one content, each after it brought something
_HIS = (ContentMismatch, ContentMissing, DaemonFault)  # a source's own failures; others may help


class Recalling(Keeper, Protocol):
    """A keeper that may have some of a content from before."""

    def recall(self, take: Callable[[Key, Chunk], object]) -> None:
        """Give to `take` what is here. Blocks."""


class Wanted(NamedTuple):
    """A content, of how many bytes at most, and what opens it at its sources if it is not public.

    `accuse`: see `IResourceStore.get`. `along`: has an intake take what came with messages.
    """

    root: Key
    limit: int
    words: Pass | None = None
    accuse: Accuse | None = None
    along: Callable[[Intake], object] = Intake.missing


class Fetcher:
    """Fetches contents. `daemon`: is asked last. `behind`: see `EmbeddedStore`."""

    def __init__(
        self,
        reactor: PosixReactorBase,
        workers: Workers,
        channels: Channels,
        daemon: Client | None = None,
        behind: Behind | None = None,
    ) -> None:
        self._gateways = Gateways(reactor, workers, channels, daemon, behind)
        self._transfers: list[Transfer] = []
        self._is_open = True

    def close(self) -> Deferred[None]:
        """Hang up everywhere; what is under way fails with StoreFault."""
        self._is_open = False
        for transfer in list(self._transfers):
            transfer.stop()
        return self._gateways.close()

    def moving(self) -> list[Incoming]:
        """What comes in now."""
        return [transfer.moving for transfer in self._transfers]

    async def fetch(self, wanted: Wanted, sources: Sequence[Place], keeper: Recalling) -> int:
        """Give all blocks of a content to `keeper`, in threads, and say how many bytes its files hold.

        Cancelled, it hangs up at once. Raises ContentMissing where the sources together don't have it, with what each
        one said; TooLarge, ContentUnreadable.
        """
        intake = Intake(wanted.root, wanted.limit, keeper)
        transfer = Transfer(wanted, intake, self._gateways, keeper)
        self._transfers.append(transfer)
        try:
            await transfer.run(list(dict.fromkeys(sources))[:MAX_SOURCES] if self._is_open else [])
        finally:
            self._transfers.remove(transfer)
        if not self._is_open and not intake.is_complete:
            raise StoreFault("the content store is closing")
        if not intake.is_complete:
            said = "; ".join(f"{source}: {why}" for source, why in transfer.failures.items())
            raise ContentMissing(f"nobody gave {to_text(wanted.root)}: {said or 'there is nobody to ask'}")
        return intake.size


def _also(result: R, waiting: Deferred[None]) -> R:
    if not waiting.called:
        waiting.callback(None)
    return result


def _width(at: int, sources: int) -> int:
    """How many requests a source has at once: two, so that it never waits for us; the first, the requestor, fewer."""
    return 1 if (sources > 1 and at == 0) or 2 * sources > MAX_REQUESTS + 1 else 2


class Transfer:
    """One content on its way. `failures`: what was wrong with the sources that are not asked any more."""

    def __init__(self, wanted: Wanted, intake: Intake, gateways: Gateways, keeper: Recalling) -> None:
        self.failures: dict[Place, str] = {}
        self._liars: set[Place] = set()
        self._root = wanted.root
        self._along = wanted.along
        self._words = wanted.words
        self._accuse = wanted.accuse
        self._intake = intake
        self._gateways = gateways
        self._keeper = keeper
        self._clock: IReactorTime = gateways.clock
        self._stops = Stops()
        self._idle: list[Deferred[None]] = []
        self._breaks: dict[Place, int] = {}
        self._fatal: GolemError | None = None

    @property
    def moving(self) -> Incoming:
        """How far it is."""
        return Incoming(
            cid=to_text(self._root),
            size_bytes=self._intake.size,
            received_bytes=self._intake.received_bytes,
        )

    def stop(self) -> None:
        """Hang up on everybody."""
        self._stops.close()
        self._wake()

    async def run(self, sources: Sequence[Place]) -> None:
        """Ask everybody until all is here, or nobody is left; raises what ends it otherwise."""
        waiting: Deferred[None] = Deferred()
        work = Deferred.fromCoroutine(self._work(sources))
        work.addBoth(_also, waiting)
        try:
            await waiting
        except CancelledError:
            self.stop()
            await work  # threads may still be at what has come
            raise
        await work
        if self._fatal is not None:
            raise self._fatal

    async def _work(self, sources: Sequence[Place]) -> None:
        await self._blamed("what was here", self._recall())
        for source in sources:
            if self._intake.nodes() and not self._is_over:
                await self._blamed(source, self._outline(source))
        if not self._intake.nodes():
            live = [source for source in sources if source not in self.failures]
            runs = Runs(self._intake, self._clock.seconds, live)
            lanes = [self._lane(source, runs) for at, source in enumerate(live) for _ in range(_width(at, len(live)))]
            await DeferredList([Deferred.fromCoroutine(lane) for lane in lanes])
        if (daemon := self._gateways.daemon) is not None:
            await self._blamed(daemon.api, self._export(daemon))

    @property
    def _is_over(self) -> bool:
        return self._intake.is_complete or not self._stops.is_open

    async def _blamed(self, source: Place, work: Coroutine[Deferred[object], object, None]) -> None:
        """Do what may fail by a source's fault, or by the content's own."""
        try:
            await work
        except _HIS as why:
            self.failures[source] = str(why)
            if isinstance(why, ContentMismatch):
                self._expose(source, str(why))
        except GolemError as why:
            self._fatal = self._fatal or why
            self.stop()

    def _expose(self, liar: Place, why: str) -> None:
        """Say of a source that it lied, once, however many requests to it were under way."""
        log.warn("{source} sent wrong bytes and is not asked again: {why}", source=liar, why=why)
        if self._accuse is not None and liar not in self._liars:
            self._accuse(liar)
        self._liars.add(liar)

    async def _recall(self) -> None:
        await self._gateways.workers.run(self._keeper.recall, self._intake.take)
        await self._gateways.workers.run(self._along, self._intake)

    async def _outline(self, source: Place) -> None:
        """Have all nodes."""
        while not self._is_over and (nodes := self._intake.nodes()):
            had = self._intake.taken
            ended = await self._gateways.outline(source, nodes[0], Flow(self._intake, self._stops, self._words))
            self._judge(source, ended, brought=self._intake.taken - had)

    async def _export(self, daemon: Client) -> None:
        while not self._is_over:
            had = self._intake.taken
            ended = await self._gateways.export(daemon, self._root, Flow(self._intake, self._stops))
            self._judge(daemon.api, ended, brought=self._intake.taken - had)

    async def _lane(self, source: Place, runs: Runs) -> None:
        """Ask one source for run after run."""
        while not self._is_over and source not in self.failures:
            if (run := runs.next(source)) is None:
                await self._blamed(source, self._look(source, runs))
                continue
            await self._blamed(source, self._bring(source, run, runs.holdings))
            runs.ended(run)
            self._wake()

    async def _look(self, source: Place, runs: Runs) -> None:
        """Nothing can be asked of a source: learn what it has by now, or wait for news."""
        if holding := runs.look(source):
            told, flow = holding.told, Flow(self._intake, self._stops, self._words)
            if runs.learn(holding, told, await self._gateways.since(source, self._root, told, flow)):
                return
            if runs.is_stuck:
                raise ContentMissing("it has nothing of what is missing")
        await self._news()

    async def _bring(self, source: Place, run: Run, holdings: dict[Place, Holding]) -> None:
        stops, asked, has_told = Stops(), run.keys, source in holdings

        def saw() -> None:
            if run.keys is not asked and not run.left(self._intake):
                stops.close()  # others were asked for the rest of the answer

        had = self._intake.taken
        work = self._gateways.blocks(source, self._root, asked, Flow(self._intake, stops, self._words, saw))
        try:
            ended = await self._stops.bound(stops.close, Deferred.fromCoroutine(work))
        except ContentMissing:
            if stops.is_open:
                raise
            return
        if not stops.is_open:
            return
        is_part = ended in ("", NOT_HERE) and bool(run.left(self._intake))
        if is_part and not has_told:
            holdings.setdefault(source, Holding())  # it may be fetching itself
        else:
            self._judge(source, ended or is_part * "it left out what it has", brought=self._intake.taken - had)

    async def _news(self) -> None:
        """Wait until something ends, or some time has gone."""
        news: Deferred[None] = Deferred()
        self._idle.append(news)
        timer = self._clock.callLater(SPLIT_S, self._wake)
        await news
        if timer.active():
            timer.cancel()

    def _wake(self) -> None:
        if self._intake.is_complete:
            self._stops.close()
        idle, self._idle = self._idle, []
        for news in idle:
            news.callback(None)

    def _judge(self, source: Place, ended: str, *, brought: int) -> None:
        """Whether it is worth asking again."""
        if self._is_over:
            return
        self._breaks[source] = self._breaks.get(source, 0) + bool(ended)
        if not brought:
            raise ContentMissing(ended or "the answer had nothing that was asked for")
        if self._breaks[source] > MAX_BREAKS:
            raise ContentMissing("it breaks off again and again")
