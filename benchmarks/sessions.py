"""What a message costs: through two real TLS sessions in one process, and the parts of it.

Usage: python benchmarks/sessions.py [messages]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter, process_time

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from golem.model.ids import NodeId, SubtaskId
from golem.model.messages import Cancellation, Message
from golem.net.identity import Identity
from golem.net.network import Network
from golem.net.tls import TlsCarrier
from golem.testing.clock import Clock
from golem.testing.hearer import MemoryHearer
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.samples import INSTANT_MS, messages
from golem.wire.codec import encode
from golem.wire.envelope import Terms, bundle, seal, unseal
from golem.wire.signing import NodeKey


def node(name: str) -> tuple[Network, MemoryHearer, NodeId]:
    """A network on loopback."""
    keys, hearer = FixedKeyring(name), MemoryHearer()
    identity = Identity(keys, "devnet", "127.0.0.1:0", "", lambda: "", lambda: "e")
    network = Network(TlsCarrier(reactor, reactor), reactor, identity, hearer, SeededEntropy(name))
    return hearer.join(network), hearer, keys.node_id


async def main(_: object, text: str = "40000") -> None:
    """Print figures."""
    alice, to_bob, alice_id = node("alice")
    bob, to_alice, bob_id = node("bob")
    await alice.startService()
    await bob.startService()
    begun = perf_counter()
    alice.dial(bob.address)
    await until(lambda: bool(alice.peers() and bob.peers()))
    print(f"dial to open session: {(perf_counter() - begun) * 1000:.1f} ms")
    for batch in (1, 16, 64, 256):
        await flood(to_bob, bob_id, to_alice, alice_id, batch, int(text) // (8 if batch == 1 else 1))
    await echo(to_bob, bob_id, to_alice, alice_id)
    await alice.stopService()
    await bob.stopService()
    parts()
    clock()


async def flood(speaker: MemoryHearer, to: NodeId, hearer: MemoryHearer, of: NodeId, batch: int, count: int) -> None:
    """`count` messages one way, so many of them in each turn of the reactor."""
    said = Cancellation(subtask_id=SubtaskId("f" * 32))
    hearer.said.clear()
    done: Deferred[None] = Deferred()

    def count_them(peer: NodeId, message: Message) -> None:
        if len(hearer.said[of]) == count:
            done.callback(None)

    left = count

    def talk() -> None:
        nonlocal left
        for _ in range(min(batch, left)):
            speaker.send(to, said)
        left -= batch
        if left > 0:
            reactor.callLater(0, talk)

    hearer.on_heard = count_them
    begun, cpu = perf_counter(), process_time()
    talk()
    await done
    spent, cpu = perf_counter() - begun, process_time() - cpu
    hearer.on_heard = lambda peer, message: None
    print(f"{batch:4} a turn: {count / spent:9,.0f} messages/s, {cpu / count * 1e6:6.1f} us CPU each, both ends")


async def echo(alice: MemoryHearer, bob_id: NodeId, bob: MemoryHearer, alice_id: NodeId, count: int = 500) -> None:
    """One message to and fro, again and again."""
    said = Cancellation(subtask_id=SubtaskId("f" * 32))
    done: Deferred[None] = Deferred()
    left = count

    def again(peer: NodeId, message: Message) -> None:
        nonlocal left
        left -= 1
        if left:
            alice.send(bob_id, said)
        else:
            done.callback(None)

    bob.on_heard = lambda peer, message: bob.send(alice_id, said)
    alice.on_heard = again
    begun = perf_counter()
    alice.send(bob_id, said)
    await done
    print(f"there and back: {(perf_counter() - begun) / count * 1e6:.0f} us")


def parts() -> None:
    """What one envelope and what is in it cost."""
    alice, bob = FixedKeyring("alice"), FixedKeyring("bob")
    terms, key = Terms("devnet", 1, alice.node_id, bob.node_id), NodeKey(alice.node_id)
    for size in (1, 64):
        said = [encode(messages()[2])] * size
        envelope = seal(alice.sign, terms, 1, bundle(said), INSTANT_MS)
        sealing = timed(lambda said=said: seal(alice.sign, terms, 1, bundle(said), INSTANT_MS))
        unsealing = timed(lambda envelope=envelope: unseal(envelope, terms, key, INSTANT_MS))
        print(f"envelope of {size:2}: seal {sealing:.0f} us, unseal {unsealing:.0f} us")


def timed(work: Callable[[], object], count: int = 2_000) -> float:
    """Microseconds each."""
    begun = perf_counter()
    for _ in range(count):
        work()
    return (perf_counter() - begun) / count * 1e6


def clock(count: int = 100_000) -> None:
    """Events a second of the heap clock with 10,000 timers pending."""
    heap = Clock()
    for n in range(10_000):
        heap.callLater(1e6 + n, print)
    left = count

    def tick() -> None:
        nonlocal left
        left -= 1
        heap.callLater(0.001, tick)

    heap.callLater(0, tick)
    begun = perf_counter()
    heap.run_until(lambda: left <= 0, 1e6)
    print(f"heap clock: {count / (perf_counter() - begun):,.0f} events/s with 10,000 timers pending")


async def until(is_so: Callable[[], bool]) -> None:
    """Let the reactor run until something is so."""
    while not is_so():
        turn: Deferred[None] = Deferred()
        reactor.callLater(0.001, turn.callback, None)
        await turn


if __name__ == "__main__":
    react(main, sys.argv[1:])
