"""The composition root: here alone the parts of a node are named. Reads like a parts list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from twisted.internet.posixbase import PosixReactorBase as ReactorBase
from twisted.internet.threads import deferToThreadPool

from golem.adapters.docker import DockerLauncher, is_reachable
from golem.adapters.entropy import OsEntropy
from golem.adapters.ethereum import EthereumChain, EthereumSettings
from golem.adapters.journal import SqliteJournal
from golem.adapters.keyring import FileKeyring
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.adapters.launchers.host import HostLauncher
from golem.adapters.launchers.wasm import WasmLauncher
from golem.adapters.nochain import NoChain
from golem.core.strategy import FRUGAL
from golem.errors import Cheap, ConfigError, JournalFault
from golem.interfaces import IChain, IExecutor, IKeyring, ILauncher, IMarketStrategy, ITaskTemplate, environments
from golem.ipfs.kubo import Client
from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.model.ids import Address
from golem.model.messages import Place
from golem.model.settings import Settings
from golem.model.spec import Limits
from golem.model.value import evolve
from golem.net.carrier import Carrier, join_place, split_place
from golem.net.identity import Identity
from golem.net.network import Network
from golem.net.tls import TlsCarrier
from golem.node import modules
from golem.node.caretaker import Caretaker, House, Load
from golem.node.computer import Computer
from golem.node.config import Config, Ipfs, Provider, settings
from golem.node.devices import Gpus, nvidia
from golem.node.disk import Aside
from golem.node.executor import PooledExecutor
from golem.node.gauger import Gauger
from golem.node.node import Node, Parts
from golem.node.plugins import load, strategy
from golem.node.rehearing import Rehearing
from golem.node.slots import Whole
from golem.wire.seals import seal
from golem.wire.signing import sign_word
from golem.wire.toil import check

Tamper = Callable[[IExecutor], IExecutor]
"""What a test puts between a node and its executor: a liar, say."""


class Reach(NamedTuple):
    """Where a node is. `listen`: where it does, or empty; `address`: how others reach that, if not so.

    `gateway`: its store's, as others reach it; `shelf`: as it does itself. `relay`: whether it carries for others.
    """

    network: str
    carrier: Carrier
    listen: Place
    address: Place
    gateway: Callable[[], Place]
    shelf: Callable[[], Place] = str
    relay: bool = True


def honest(executor: IExecutor) -> IExecutor:
    """Nothing between."""
    return executor


def make(config: Config, reactor: ReactorBase, tamper: Tamper = honest) -> Node:
    """A node as configured. Blocks for as long as the key file takes to open. Raises ConfigError, KeyFault."""
    folder = Path(config.folder)
    templates, trader = load(config.provider.templates), strategy(config.node.strategy)
    keyring = _keyring(config)
    staging = folder / "staging"
    daemon = Client(reactor, config.ipfs.api) if config.ipfs.api else None
    carrier = TlsCarrier(reactor, reactor)
    store = EmbeddedStore(reactor, folder / "content", staging, _store_terms(config.ipfs), carrier, daemon)
    aside = partial(deferToThreadPool, reactor, reactor.getThreadPool())
    pool = _pool(config, reactor, templates, aside)
    executor = tamper(pool)
    slots = Whole(config.provider.slots, _cores(config), config.provider.memory)
    computer = Computer(executor, store, lambda name: templates[name].programs, staging / "jobs", slots, aside)
    chain = _chain(config, reactor, keyring)
    try:
        journal = SqliteJournal(folder / "journal.db")  # the last, as nobody else closes it if something here raises
    except JournalFault as why:
        raise ConfigError(str(why)) from why
    parts = Parts(
        clock=reactor,
        journal=journal,
        store=store,
        executor=executor,
        computer=computer,
        chain=chain,
        keyring=keyring,
        entropy=OsEntropy(),
    )
    node = assemble(parts, settings(config), templates, _reach(config, carrier, lambda: store.port), trader)
    store.behind = node.behind
    pool.tell(node.desk.live.news)
    if config.provider.enabled:
        node.mind(_caretaker(config, reactor, pool, node))
        node.mind(Gauger(templates, reactor, computer, lambda: node.engine.state, node.engine.post))
    store.setServiceParent(node)
    computer.setServiceParent(node)
    return node


def _keyring(config: Config) -> FileKeyring:
    keyring = FileKeyring.open(config.key_folder, config.password.reveal)
    try:
        check(config.node.network, keyring.node_id)
    except Cheap as why:
        raise ConfigError(f"node.network: {why}; make keys for it with golem init, in a new folder") from why
    return keyring


def assemble(
    parts: Parts,
    terms: Settings,
    templates: Mapping[str, ITaskTemplate],
    reach: Reach,
    trader: IMarketStrategy = FRUGAL,
) -> Node:
    """Join the parts that production and simulation share."""
    node = Node(parts, terms, templates, trader, reach.network)
    identity = Identity(
        keyring=parts.keyring,
        network=reach.network,
        listen=reach.listen,
        address=reach.address,
        gateway=reach.gateway,
        epoch=lambda: node.engine.mail.epoch,
        shelf=reach.shelf,
        domain=parts.chain.domain,
        relay=reach.relay,
    )
    sessions = Network(reach.carrier, parts.clock, identity, node.driver, parts.entropy)
    node.driver.join(sessions, partial(seal, parts.keyring, reach.network, parts.chain.domain))
    node.join(sessions, lambda: sessions.address)
    node.behind = sessions.front.content
    node.desk.refused = lambda: sessions.refused
    node.desk.reached = sessions.front.reached
    node.desk.sign = partial(sign_word, parts.keyring.sign, reach.network)
    node.desk.rehear = Rehearing(reach.network, templates, parts.store, parts.computer, node.desk.gateway).hear
    return node


def _reach(config: Config, carrier: Carrier, gateway: Callable[[], int]) -> Reach:
    host = split_place(config.node.address or config.node.listen)[0]
    inside = split_place(config.ipfs.gateway)[0]
    return Reach(
        network=config.node.network,
        carrier=carrier,
        listen=config.node.listen,
        address=config.node.address,
        gateway=lambda: join_place(host, gateway()),
        shelf=lambda: join_place(inside, gateway()),
        relay=config.node.relay,
    )


def _store_terms(ipfs: Ipfs) -> Terms:
    return Terms(
        quota_bytes=ipfs.quota,
        gateway=ipfs.gateway,
        is_public=ipfs.public,
        rate_each=ipfs.rate_each,
        rate_all=ipfs.rate_all,
    )


def _pool(config: Config, reactor: ReactorBase, templates: Mapping[str, ITaskTemplate], aside: Aside) -> PooledExecutor:
    provider = config.provider
    offered = Limits(cores=_cores(config), memory_bytes=provider.memory)
    images = {name: t.environment.image for name, t in templates.items()}
    images |= dict(pair.split("=", 1) for pair in provider.images)
    needed = {name: [evolve(one, image=images[name]) for one in environments(t)] for name, t in templates.items()}
    rooms = Path(config.folder) / "staging" / "rooms"
    pool = PooledExecutor(_launcher(provider, reactor), reactor, rooms, needed, offered, aside)
    cards = nvidia() if provider.gpu else Gpus()
    pool.furnish(cards, modules.prepared(Path(config.folder), templates.values()))
    return pool


def _cores(config: Config) -> int:
    return config.provider.cores or config.provider.slots


def _caretaker(config: Config, reactor: ReactorBase, pool: PooledExecutor, node: Node) -> Caretaker:
    provider = config.provider
    house = House(
        folder=config.folder,
        hours=provider.hours,
        is_idle_only=provider.idle_only,
        min_free_bytes=provider.min_free,
    )
    return Caretaker(house, reactor, Load(pool.pids), node.engine.post)


def _launcher(provider: Provider, reactor: ReactorBase) -> ILauncher:
    name, runtime = provider.executor, provider.docker_runtime
    if name == "docker" or (name == "auto" and (runtime or is_reachable())):
        return DockerLauncher(reactor, runtime=runtime)
    if name == "wasm":
        return WasmLauncher(reactor)
    if name == "host":
        return HostLauncher(reactor)
    return BubblewrapLauncher(reactor)


def _chain(config: Config, reactor: ReactorBase, keyring: IKeyring) -> IChain:
    payment = config.payment
    if not payment.rpc:
        return NoChain(keyring.account)
    return EthereumChain(
        reactor,
        keyring,
        EthereumSettings(
            rpc=payment.rpc,
            contract=Address(payment.contract),
            chain_id=payment.chain_id,
            folder=config.folder,
            confirmations=payment.confirmations,
            poll_ms=config.timing.observe,
            most_gwei=payment.most_gwei,
            witness=payment.witness,
        ),
    )
