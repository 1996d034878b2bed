"""Where real nodes run, and what can go wrong there: on loopback, or each in a network namespace of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which
from typing import NamedTuple

from golem.cli.local import HERE, LOOPBACK, LocalNetwork, Member, Seat
from golem.errors import Fault
from golem.model.money import show_ether
from golem.testing import mishaps as m
from golem.testing.fronts import Front, Fronts
from golem.testing.scenario import Scenario

COMMON = {
    "payment.closure": "1s",
    "payment.fee_share": "1",
    "timing.observe": "500ms",
    "provider.executor": "sandbox",
}
PRICE = "0.0018"  # ether per hour of a slot, as in LocalNetwork
PORT = 7_300
FRONTS = "127.77.0"  # of the fronts, where nobody else is
NET = "10.77"  # of the namespaces, where nobody else is: 10.77.0.1 is the chain
TOOLS = {"unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2", "iptables": "iptables", "ss": "iproute2"}
LIMIT_S = 20.0  # for a command that sets something up; some ms are usual
MOST_HOSTS = 200
AS_SOMEBODY = ("unshare", "--user", "--map-user=1000", "--map-group=1000")  # a sandbox would not have root run it


class Site(NamedTuple):
    """Where one node is: what its process runs within, and what its golem.toml says of its place.

    `address`: which it dials from, if not any.
    """

    within: Sequence[str] = ()
    settings: Mapping[str, str] = {}
    address: str = ""


class Ground:
    """All on 127.0.0.1, and nothing between them. `kinds`: the faults that there are, by name."""

    kinds = frozenset({"kill", "freeze", "chaindown"})

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.seat = HERE
        self.down: set[str] = set()
        self.frozen: set[str] = set()
        self._network: LocalNetwork | None = None

    def site(self, name: str) -> Site:
        """Where a node is to be."""
        return Site()

    def settle(self, network: LocalNetwork) -> None:
        """The nodes are there. `down`, `frozen`: those that faults have ended or stopped, by name."""
        self._network = network

    @property
    def network(self) -> LocalNetwork:
        """The processes."""
        assert self._network is not None
        return self._network

    def begin(self, fault: m.Fault) -> None:
        """Put a fault into force; once more changes nothing."""
        match fault:
            case m.Kill(node=name) if name not in self.down:
                self.down.add(name)
                self.frozen.discard(name)
                self.network[name].kill()
            case m.Freeze(node=name) if name not in self.down:
                self.frozen.add(name)
                self.network[name].signal(signal.SIGSTOP)
            case m.ChainDown():
                self.network.signal_chain(signal.SIGSTOP)

    def end(self, fault: m.Fault) -> None:
        """Undo it."""
        match fault:
            case m.Kill(node=name) if name in self.down:
                self.down.discard(name)
                self.network[name].start()
            case m.Freeze(node=name) if name in self.frozen:
                self.frozen.discard(name)
                self.network[name].signal(signal.SIGCONT)
            case m.ChainDown():
                self.network.signal_chain(signal.SIGCONT)

    def close(self) -> None:
        """Nothing of it stays."""

    def lines(self, fault: m.Cut | m.Partition | m.Clog | m.Lossy) -> list[tuple[str, str]]:
        """From whom to whom a fault is in the way."""
        match fault:
            case m.Partition(side=side):
                rest = [name for name in self.names if name not in side]
                return [line for a in side for b in rest for line in ((a, b), (b, a))]
            case m.Cut(one=one, other=other, one_way=True):
                return [(one, other)]
            case _:
                return [(fault.one, fault.other), (fault.other, fault.one)]


class Loopback(Ground):
    """Each has an address of its own on loopback, and a front before it that can hold up, slow down and break lines."""

    kinds = Ground.kinds | {"cut", "partition", "reset", "clog", "lossy"}

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        if len(names) > MOST_HOSTS:
            raise Fault(f"{len(names)} nodes; addresses on loopback are made for {MOST_HOSTS} at most")
        ports = _free_ports(2 * len(names))
        self._places = {name: Front(f"{FRONTS}.{n}", ports[2 * n - 2 : 2 * n]) for n, name in enumerate(names, 1)}
        self._fronts = Fronts(self._places)

    def site(self, name: str) -> Site:
        """Behind its front."""
        address, (port, gateway) = self._places[name]
        settings = {
            "node.listen": f"{LOOPBACK}:{port}",
            "node.address": f"{address}:{port}",
            "ipfs.gateway": f"{LOOPBACK}:{gateway}",
        }
        return Site(settings=settings, address=address)

    def begin(self, fault: m.Fault) -> None:
        """As without fronts, and what concerns lines."""
        fronts = self._fronts
        match fault:
            case m.Reset(one=one, other=other):
                fronts.reset(one, other)
            case m.Cut() | m.Partition():
                fronts.cuts.update(self.lines(fault))
            case m.Clog(delay_ms=delay_ms):
                fronts.delays_s.update(dict.fromkeys(self.lines(fault), delay_ms / 1000))
            case m.Lossy(per_mille=per_mille):
                fronts.losses.update(dict.fromkeys(self.lines(fault), per_mille / 1000))
            case _:
                super().begin(fault)
        fronts.changed()

    def end(self, fault: m.Fault) -> None:
        """Undo it."""
        fronts = self._fronts
        match fault:
            case m.Cut() | m.Partition():
                fronts.cuts.difference_update(self.lines(fault))
            case m.Clog():
                fronts.delays_s.update(dict.fromkeys(self.lines(fault), 0.0))
            case m.Lossy():
                fronts.losses.update(dict.fromkeys(self.lines(fault), 0.0))
            case _:
                super().end(fault)
        fronts.changed()

    def close(self) -> None:
        """End the fronts."""
        self._fronts.close()


class Namespaces(Ground):
    """Each node is a host of its own, on one bridge; all of it belongs to this user, and no root is needed.

    A namespace lasts as long as its keeper, a process that ends when this one does.
    """

    kinds = Ground.kinds | {"cut", "partition", "reset", "lossy"}

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        if len(names) > MOST_HOSTS:
            raise Fault(f"{len(names)} nodes; network namespaces are made for {MOST_HOSTS} at most")
        self._keepers: list[subprocess.Popen[bytes]] = []
        self._rules: set[tuple[str, ...]] = set()
        self._addresses = {name: f"{NET}.1.{number}" for number, name in enumerate(names, 1)}
        self._hosts: dict[str, list[str]] = {}
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def _make(self) -> None:
        self._bridge = self._keep(["unshare", "--user", "--map-root-user", "--net"])
        for command in (
            "ip link set lo up",
            "ip link add bridge type bridge",
            f"ip addr add {NET}.0.1/16 dev bridge",
            "ip link set bridge up",
        ):
            _run([*self._bridge, *command.split()])
        self.seat = Seat(self._bridge, f"{NET}.0.1")
        for number, name in enumerate(self.names, 1):
            self._hosts[name] = self._host(number, self._addresses[name])

    def _host(self, number: int, address: str) -> list[str]:
        host = self._keep([*self._bridge, "unshare", "--net"])
        pid = self._keepers[-1].pid
        for command in (
            f"ip link add host{number} type veth peer name eth0 netns {pid}",
            f"ip link set host{number} master bridge up",
        ):
            _run([*self._bridge, *command.split()])
        for command in ("ip link set lo up", f"ip addr add {address}/16 dev eth0", "ip link set eth0 up"):
            _run([*host, *command.split()])
        return host

    def _keep(self, command: Sequence[str]) -> list[str]:
        """Have a process keep what `command` makes; answers what runs another command there."""
        keeper = subprocess.Popen(
            [*command, "sh", "-c", "echo; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._keepers.append(keeper)
        assert keeper.stdout is not None and keeper.stderr is not None
        if not keeper.stdout.readline():
            raise Fault(f"this machine makes no network namespaces: {keeper.stderr.read().decode().strip()}")
        return ["nsenter", "--target", str(keeper.pid), "--user", "--net", "--preserve-credentials"]

    def site(self, name: str) -> Site:
        """A host of its own."""
        address = self._addresses[name]
        return Site(
            [*self._hosts[name], *AS_SOMEBODY], {"node.listen": f"{address}:{PORT}", "ipfs.gateway": f"{address}:0"}
        )

    def begin(self, fault: m.Fault) -> None:
        """As on loopback, and what concerns lines."""
        match fault:
            case m.Reset(one=one, other=other):
                for here, there in ((one, other), (other, one)):
                    _run([*self._hosts[here], "ss", "--kill", "dst", self._addresses[there]])
            case m.ChainDown():
                self._rule("-A", self._bridge, *_FROM_HOSTS)
            case m.Cut() | m.Partition() | m.Lossy():
                for host, rule in self._blocks(fault):
                    self._rule("-A", host, *rule)
            case _:
                super().begin(fault)

    def end(self, fault: m.Fault) -> None:
        """Undo it."""
        match fault:
            case m.ChainDown():
                self._rule("-D", self._bridge, *_FROM_HOSTS)
            case m.Cut() | m.Partition() | m.Lossy():
                for host, rule in self._blocks(fault):
                    self._rule("-D", host, *rule)
            case _:
                super().end(fault)

    def _blocks(self, fault: m.Cut | m.Partition | m.Lossy) -> list[tuple[list[str], tuple[str, ...]]]:
        """What a fault forbids: at which host, to hear what."""
        drop: tuple[str, ...] = ("-j", "DROP")
        if isinstance(fault, m.Lossy):
            chance = ("-m", "statistic", "--mode", "random", "--probability", f"{fault.per_mille / 1000}")
            drop = ("-p", "tcp", *chance, "-j", "REJECT", "--reject-with", "tcp-reset")
        return [(self._hosts[b], ("-s", self._addresses[a], *drop)) for a, b in self.lines(fault)]

    def _rule(self, action: str, host: list[str], *rule: str) -> None:
        """Add a rule that is not there, or delete one that is."""
        key = (*host, *rule)
        if (action == "-A") is (key in self._rules):
            return
        _run([*host, "iptables", "-w", action, "INPUT", *rule])
        self._rules ^= {key}

    def close(self) -> None:
        """End the keepers, and with them the namespaces."""
        while self._keepers:
            self._keepers.pop().communicate()


_FROM_HOSTS = ("-s", f"{NET}.1.0/24", "-p", "tcp", "-j", "DROP")


def _free_ports(count: int) -> list[int]:
    """So many that nobody listens on now."""
    probes = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def build(folder: Path, scenario: Scenario, ground: Ground, tell: Path | None = None) -> LocalNetwork:
    """The nodes of a scenario as processes on `ground`, none of which runs yet. `tell`: whom they tell what they do."""
    templates = {step.template for step in scenario.steps if step.submit} or {"echo"}
    settings = {**COMMON, "provider.templates": ",".join(sorted(templates))}
    members = []
    for part in scenario.members:
        site = ground.site(part.name)
        price = show_ether(part.price).split()[0] if part.price else PRICE
        providing = {"provider.enabled": "true", "provider.slots": str(part.slots), "provider.min_price": price}
        how = ["--name", part.name, *(["--tell", str(tell)] if tell else [])]
        how += ["--takes", str(part.takes_s)] if part.provides else []
        how += ["--behave", part.behave] if part.behave else []
        how += ["--from", site.address] if site.address else []
        hidden = {"node.listen": "", "node.address": ""} if part.is_hidden else {}
        own = {**(providing if part.provides else {}), **site.settings, **hidden}
        members.append(Member(part.name, own, ("golem.testing.live_node", *how), site.within))
    network = LocalNetwork(folder, members, settings, seat=ground.seat)
    ground.settle(network)
    return network


def lack() -> str:
    """Why this machine makes no namespaces, with the way out; nothing where it does."""
    missing = [tool for tool in TOOLS if which(tool) is None]
    if missing:
        return f"there is no {missing[0]}; install {TOOLS[missing[0]]}"
    try:
        _run(["unshare", "--user", "--map-root-user", "--net", "iptables", "-w", "-L", "INPUT"])
    except Fault as why:
        return f"this machine lets nobody but root make network namespaces ({why})"
    return ""


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode:
        raise Fault(f"{' '.join(command[-6:])}: {(done.stderr or done.stdout).strip()}")
