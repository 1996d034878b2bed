"""Content: how fast it is imported and fetched, beside plain hashing and plain HTTP on the same machine.

Usage: python -m benchmarks.ipfs [--json] [--mib 500]. Both ends of a transfer are one process, so they share its core
in the anchor as in the figure. `small_files_ratio` is null without rsync on the path.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from hashlib import sha256, sha512
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pytest_twisted import blockon, init_default_reactor
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from benchmarks.anchors import hash_s, http_s, https_s, rsync_s
from benchmarks.figures import arguments, show
from golem.ipfs import car
from golem.ipfs.cid import Chunk, Key, from_text
from golem.ipfs.importer import CHUNK_BYTES, import_path
from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.model.ids import Ticket
from golem.net.tls import TlsCarrier

MIB = 1 << 20
RUNS = 3  # the best of them counts, on both sides
SMALL_FILES, SMALL_BYTES = 1000, 50_000
SCENE_MIB, CHANGED_SHARE = 200, 0.01
WAVE = 4  # providers
SEALED = 128  # chunks
RESULTS, RESULT_BYTES = 200, 4_000


class Nowhere:
    """A sink that keeps nothing."""

    def begin(self, path: str, found: os.stat_result) -> None:
        """See `Sink.begin`."""

    def leaf(self, key: Key, chunk: Chunk) -> None:
        """See `Sink.leaf`."""

    def node(self, key: Key, block: bytes) -> None:
        """See `Sink.node`."""


class Stores:
    """Content stores in a folder, and what they cost."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def open(self) -> EmbeddedStore:
        """One more, which knows the ticket of the task `o`."""
        self.count += 1
        where = self.folder / f"store{self.count}"
        store = EmbeddedStore(reactor, where, self.folder / "staging", Terms(8 << 30), TlsCarrier(reactor, reactor))
        store.startService()
        store.admit("o", Ticket(b"o" * 32))
        return store

    def fetch_s(self, cid: str, *sources: str, owner: str = "me") -> float:
        """Seconds that a new store takes to have it; the store is gone afterwards. For the task `o` it goes by TLS."""
        store = self.open()
        start = perf_counter()
        blockon(store.get(cid, list(sources), 4 << 30, owner))
        took = perf_counter() - start
        blockon(store.stopService())
        shutil.rmtree(self.folder / f"store{self.count}")
        return took


def place(store: EmbeddedStore) -> str:
    """Where it listens."""
    return f"127.0.0.1:{store.port}"


def best(work: object, runs: int = RUNS) -> float:
    """The shortest time."""
    return min(work() for _ in range(runs))  # type: ignore[operator]  # a function without arguments


def sealing_cost(key_of: Callable[[bytes], bytes]) -> float:
    """How much longer it takes to hash chunks as ciphertext; `key_of`: an AES-256-XTS key for a chunk."""
    chunk, sealed = os.urandom(CHUNK_BYTES), bytearray(CHUNK_BYTES + 15)

    def seal(tweak: int) -> None:
        mode = modes.XTS(tweak.to_bytes(16, "little"))
        filled = Cipher(algorithms.AES(key_of(chunk)), mode).encryptor().update_into(chunk, sealed)
        sha256(memoryview(sealed)[:filled]).digest()

    return _cpu_s(seal) / _cpu_s(lambda _: sha256(chunk).digest()) - 1


def _cpu_s(work: Callable[[int], object]) -> float:
    def once() -> float:
        start = thread_time()
        for number in range(SEALED):
            work(number)
        return thread_time() - start

    return best(once)


def own_key(chunk: bytes) -> bytes:
    """A key for these bytes alone."""
    return sha512(sha256(chunk).digest()).digest()


def import_s(path: Path) -> float:
    """Seconds to import it, keeping nothing."""
    start = perf_counter()
    import_path(str(path), Nowhere())
    return perf_counter() - start


def resident_mib() -> float:
    """The most memory that this process has had."""
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def small_files(stores: Stores, near: EmbeddedStore) -> float | None:
    """Rsync's time over ours for many small files."""
    source = stores.folder / "small"
    source.mkdir()
    for number in range(SMALL_FILES):
        (source / f"{number}.dat").write_bytes(os.urandom(SMALL_BYTES))
    cid = blockon(near.put(str(source), "user/small")).cid
    ours = best(lambda: stores.fetch_s(cid, place(near)))
    return best(lambda: rsync_s(source, stores.folder)) / ours if shutil.which("rsync") else None


def changed_share(stores: Stores) -> float:
    """Share of a scene's bytes in blocks that are new after 1 % of it changed, in one place."""
    scene = stores.folder / "scene"
    scene.write_bytes(os.urandom(SCENE_MIB * MIB))
    before, after = _Sizes(), _Sizes()
    import_path(str(scene), before)
    with scene.open("r+b") as file:
        file.seek(SCENE_MIB * MIB // 3)
        file.write(os.urandom(int(SCENE_MIB * MIB * CHANGED_SHARE)))
    import_path(str(scene), after)
    return sum(size for key, size in after.sizes.items() if key not in before.sizes) / (SCENE_MIB * MIB)


class _Sizes(Nowhere):
    def __init__(self) -> None:
        self.sizes: dict[Key, int] = {}

    def leaf(self, key: Key, chunk: Chunk) -> None:
        self.sizes[key] = len(chunk)

    def node(self, key: Key, block: bytes) -> None:
        self.sizes[key] = len(block)


def slowdown(stores: Stores, cid: str, near: EmbeddedStore, other: EmbeddedStore) -> float:
    """How much longer a fetch takes where one of three sources sends wrong bytes, than with the other two alone."""
    liar = reactor.listenTCP(0, Site(_Liar(near)), interface="127.0.0.1")
    bad = f"127.0.0.1:{liar.getHost().port}"
    good = best(lambda: stores.fetch_s(cid, place(near), place(other)))
    took = best(lambda: stores.fetch_s(cid, place(near), bad, place(other)))
    blockon(liar.stopListening())
    return took / good - 1


def peer_share(stores: Stores, cid: str, near: EmbeddedStore, other: EmbeddedStore) -> float:
    """Share of the bytes that a second provider has from the first one, the requestor being the other source."""
    meters = [Meter(place(near)), Meter(place(other))]
    stores.fetch_s(cid, *(meter.place for meter in meters))
    requestor, peer = (meter.close() for meter in meters)
    return peer / (requestor + peer)


def along_ratio(stores: Stores, near: EmbeddedStore) -> float:
    """Time to fetch small results by TLS, on connections that stand, over the time for those that came along."""
    cids = []
    for _ in range(RESULTS):
        (stores.folder / "staging" / "result").write_bytes(os.urandom(RESULT_BYTES))
        cids.append(blockon(near.put(str(stores.folder / "staging" / "result"), "o")).cid)
    far = stores.open()

    def had(cid: str) -> float:
        start = perf_counter()
        blockon(far.get(cid, [place(near)], RESULT_BYTES, "o"))
        return perf_counter() - start

    fetched = median(map(had, cids[::2]))
    for cid in cids[1::2]:
        far.parcels.unpack(near.parcels.pack([cid]))
    came = median(map(had, cids[1::2]))
    blockon(far.stopService())
    return fetched / came


def wave_share(stores: Stores, cid: str, near: EmbeddedStore) -> float:
    """Share of the bytes that providers who begin together have from one another, and not from the requestor."""
    first = stores.count
    wave = [stores.open() for _ in range(WAVE)]
    meters = [Meter(place(near))] + [Meter(place(store)) for store in wave]
    gets = []
    for number, store in enumerate(wave):
        others = [meter.place for meter in meters[1:] if meter is not meters[1 + number]]
        gets.append(store.get(cid, [meters[0].place, *others], 4 << 30, "o"))
    blockon(gatherResults(gets))
    for number, store in enumerate(wave):
        blockon(store.stopService())
        shutil.rmtree(stores.folder / f"store{first + 1 + number}")
    requestor, *peers = (meter.close() for meter in meters)
    return sum(peers) / (requestor + sum(peers))


class Meter(Factory):
    """Passes on what a gateway sends, and counts it."""

    def __init__(self, to: str) -> None:
        self.to = to
        self.bytes = 0
        self.listener = reactor.listenTCP(0, self, interface="127.0.0.1")
        self.place = f"127.0.0.1:{self.listener.getHost().port}"

    def buildProtocol(self, addr: object) -> Protocol:
        """One connection."""
        return _Metered(self)

    def close(self) -> int:
        """Stop; how many bytes went through."""
        blockon(self.listener.stopListening())
        return self.bytes


class _Metered(Protocol):
    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._waiting: list[bytes] = []
        self._far: Protocol | None = None

    def connectionMade(self) -> None:
        host, _, port = self._meter.to.rpartition(":")
        connectProtocol(TCP4ClientEndpoint(reactor, host, int(port)), _Far(self)).addCallback(self._connected)

    def _connected(self, far: Protocol) -> None:
        self._far = far
        self.transport.registerProducer(far.transport, True)
        for data in self._waiting:
            far.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        if self._far is None:
            self._waiting.append(data)
        else:
            self._far.transport.write(data)

    def passed(self, data: bytes) -> None:
        self._meter.bytes += len(data)
        self.transport.write(data)

    def connectionLost(self, reason: object = None) -> None:
        if self._far is not None:
            self._far.transport.loseConnection()


class _Far(Protocol):
    def __init__(self, near: _Metered) -> None:
        self._near = near

    def dataReceived(self, data: bytes) -> None:
        self._near.passed(data)

    def connectionLost(self, reason: object = None) -> None:
        self._near.transport.loseConnection()


class _Liar(Resource):
    """Sends the right number of bytes, and they are wrong."""

    isLeaf = True

    def __init__(self, near: EmbeddedStore) -> None:
        super().__init__()
        self._near = near

    def render_GET(self, request: Request) -> bytes:
        names = request.args[b"blocks"][0].decode()
        keys = [from_text(request.path.decode().rpartition("/")[2])]
        if names != "nodes":
            keys = [from_text(name) for name in names.split(",")]
        return car.header(keys[0]) + b"".join(car.section(key, bytes(MIB)) for key in keys)


def main() -> None:
    """Print figures."""
    init_default_reactor()
    mib = arguments(__doc__ or "", mib=500).mib
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        stores = Stores(Path(name))
        (stores.folder / "staging").mkdir()
        large = stores.folder / "large"
        with large.open("wb") as out:
            for _ in range(mib):
                out.write(os.urandom(MIB))
        near = stores.open()
        import_ratio = best(lambda: hash_s(large)) / best(lambda: import_s(large))
        cid = blockon(near.put(str(large), "user/large")).cid
        blockon(near.get(cid, [], 4 << 30, "o"))
        plain = best(lambda: http_s(large))
        before = resident_mib()
        fetched = best(lambda: stores.fetch_s(cid, place(near)))
        extra = resident_mib() - before
        other = stores.open()
        blockon(other.get(cid, [place(near)], 4 << 30, "user/large"))
        show(
            import_ratio=import_ratio,
            fetch_plain_ratio=plain / fetched,
            fetch_tls_ratio=best(lambda: https_s(large)) / best(lambda: stores.fetch_s(cid, place(near), owner="o")),
            small_files_ratio=small_files(stores, near),
            fetch_extra_mib=extra,
            rerun_bytes_share=changed_share(stores),
            along_ratio=along_ratio(stores, near),
            wave_peer_share=wave_share(stores, cid, near),
            second_provider_peer_share=peer_share(stores, cid, near, other),
            encrypt_cost=sealing_cost(lambda _: bytes(range(64))),
            encrypt_apart_cost=sealing_cost(own_key),
            bad_source_slowdown=slowdown(stores, cid, near, other),
        )
        blockon(near.stopService())
        blockon(other.stopService())
    reactor.getThreadPool().stop()  # nobody shuts this reactor down, and its threads would keep the process


if __name__ == "__main__":
    main()
