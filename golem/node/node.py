"""A node whole: its parts, started in order and stopped in reverse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger

from golem.interfaces import (
    IChain,
    IEntropy,
    IExecutor,
    IJournal,
    IKeyring,
    IMarketStrategy,
    IResourceStore,
    ITaskTemplate,
)
from golem.model.events import Started, TimerFired
from golem.model.settings import Settings
from golem.node.computer import Computer
from golem.node.desk import Desk
from golem.node.driver import Driver
from golem.node.engine import Engine
from golem.node.housekeeping import Housekeeper
from golem.node.laws import Treasurer
from golem.node.live import Link
from golem.node.stock import Stock
from golem.node.timers import Timers

log = Logger()


class Parts(NamedTuple):
    """What a node is made of that differs between production and simulation."""

    clock: IReactorTime
    journal: IJournal
    store: IResourceStore
    executor: IExecutor
    computer: Computer
    chain: IChain
    keyring: IKeyring
    entropy: IEntropy


class Network(Protocol):
    """The node's sessions, as a service. `address`: where others can dial it, once it listens."""

    address: str


class Node(MultiService):
    """One node. `desk`: what its user sees of it. `ready`: fires once it takes part, or fails with the reason.

    `broken`: fails once the node can't go on, and had better be stopped. `behind`: how to reach the content of nodes
    that can't be dialled, by their place.
    """

    behind: Callable[[str], IStreamClientEndpoint]

    def __init__(
        self,
        parts: Parts,
        settings: Settings,
        templates: Mapping[str, ITaskTemplate],
        strategy: IMarketStrategy,
        network_name: str,
    ) -> None:
        super().__init__()
        self._parts = parts
        self._settings = settings
        self.engine = Engine(parts.journal, templates, strategy, parts.clock, parts.entropy)
        self.timers = Timers(parts.clock, lambda name: self.engine.post(TimerFired(name=name)))
        housekeeper = Housekeeper(parts.store, parts.computer, lambda: self.engine.state, parts.clock)
        self.driver = Driver(self.engine, self.timers, parts.store, parts.computer, parts.chain, housekeeper)
        self.desk = Desk(self.engine, parts.chain, templates, parts.clock, parts.entropy, network_name)
        self.desk.node_id = parts.keyring.node_id
        self.desk.stock = Stock(parts.store)
        self.driver.follow(self.desk.live.heard)
        self.desk.live.join(Link(lambda: self.engine.state, self.driver.tell, self.desk.show_log))
        self.ready: Deferred[None] = Deferred()
        self.broken = self.engine.broken
        self._starting: Deferred[None] = succeed(None)
        self._keepers: list[IService] = [housekeeper]
        self._started: list[IService] = []
        self._address: Callable[[], str] = lambda: ""

    def join(self, sessions: IService, address: Callable[[], str]) -> None:
        """Add the network, which needs the driver to exist first. `address`: known once it listens."""
        sessions.setServiceParent(self)
        self._address = address

    def mind(self, keeper: IService) -> None:
        """Add what looks after the machine and begins only once the node takes part."""
        self._keepers.append(keeper)

    def startService(self) -> None:
        """Recover, listen, and begin. Where that fails, all that was begun ends."""
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addCallbacks(self.ready.callback, self.ready.errback)

    async def _start(self) -> None:
        try:
            await self._begin()
        except BaseException:
            await self._undo()
            raise

    async def _begin(self) -> None:
        self.engine.recover(self._settings.strategy)
        capability = await self._parts.executor.probe()
        for service in self:
            await maybeDeferred(service.startService)
            self._started.append(service)
        self.running = True
        self.engine.post(
            Started(
                node_id=self._parts.keyring.node_id,
                address=self._address(),
                payee=self._parts.keyring.account,
                settings=self._settings,
                capability=capability,
            )
        )
        self.engine.start(Treasurer(self.driver, lambda: self.engine.saved))
        for keeper in self._keepers:
            keeper.startService()
            self._started.append(keeper)

    def stopService(self) -> Deferred[None]:
        """Take what has arrived, end jobs and sessions, close the journal."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        started: Deferred[None] = Deferred()
        self._starting.addBoth(started.callback)
        await started
        await self._undo()

    async def _undo(self) -> None:
        """End what was begun, the last first; nothing happens a second time."""
        self.running = False
        while self._started:
            await maybeDeferred(self._started.pop().stopService)
        await self._parts.executor.close()
        self.engine.stop()
        self.timers.clear_all()
        self.desk.live.stop()
        self.engine.close()
        self._parts.chain.close()
