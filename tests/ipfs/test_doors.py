"""Who knocks at a gateway, and with what: only the right word on its own channel opens what is not public."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread

from golem.errors import ContentMissing
from golem.ipfs.rates import MAX_ADDRESSES, SLICE_BYTES, Rates
from golem.ipfs.serving import Terms
from golem.ipfs.tickets import WORD_BYTES, Pass, Tickets
from golem.model.ids import Cid, Ticket
from golem.net.tls import ALPN
from tests.ipfs.sources import new_store

TICKET = Ticket(b"t" * 32)


class House:
    """A store whose gateway serves a task's file, and one that knows the task's ticket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = os.urandom(3 << 20)
        (folder / "file").write_bytes(self.data)
        self.store = new_store(folder / "store", folder / "staging", Terms(64 << 20))
        self.other = new_store(folder / "other", folder / "staging", Terms(64 << 20))
        for store in (self.store, self.other):
            store.startService()
            store.admit("task", TICKET)
        self.cid = blockon(self.store.put(str(folder / "file"), "task")).cid
        self.place = f"127.0.0.1:{self.store.port}"

    def get(self, owner: str = "task", cid: Cid | None = None) -> Deferred[int]:
        return self.other.get(cid or self.cid, [self.place], 8 << 20, owner)

    def say(self, word: bytes, path: str) -> Deferred[bytes]:
        """Say any word on a channel, then ask by HTTP, with another implementation of TLS than ours."""

        def talk() -> bytes:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols([ALPN.decode()])
            plain = socket.create_connection(("127.0.0.1", self.store.port), timeout=10)
            with context.wrap_socket(plain) as channel:
                channel.sendall(word + f"GET {path} HTTP/1.0\r\n\r\n".encode())
                return channel.recv(1 << 16)

        return deferToThread(talk)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    blockon(house.store.stopService())
    blockon(house.other.stopService())


def run(test: Callable[[House], object]) -> Callable[[House], Deferred[object]]:
    def started(house: House) -> Deferred[object]:
        return Deferred.fromCoroutine(test(house))  # type: ignore[arg-type]  # an async def

    started.__name__ = test.__name__
    return started


@run
async def test_the_right_word_opens_a_task_s_content(house: House) -> None:
    assert await house.get() == 3 << 20


@run
async def test_without_tls_nothing_of_a_task_is_seen_and_what_is_public_is(house: House) -> None:
    await house.store.put(str(house.folder / "file"), "user/me")
    (house.folder / "secret").write_bytes(b"secret")
    secret = (await house.store.put(str(house.folder / "secret"), "task")).cid

    def ask(path: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", house.store.port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()

    assert (await deferToThread(ask, f"/ipfs/{house.cid}?format=car"))[0] == 200
    for form in ("raw", "car"):
        status, text = await deferToThread(ask, f"/ipfs/{secret}?format={form}")
        assert status == 404
        assert b"only for those who work at its task" in text
    named = f"/ipfs/{house.cid}?format=car&blocks={secret}"  # a root that is public opens no other block
    assert (await deferToThread(ask, named))[0] == 404


@run
async def test_words_that_are_wrong_or_were_heard_elsewhere_open_nothing(house: House) -> None:
    path = f"/ipfs/{house.cid}?format=car"
    heard = Pass("task", TICKET).word(b"another channel" + bytes(17))
    for word in (heard, os.urandom(WORD_BYTES), bytes(WORD_BYTES), heard[:32] + bytes(32)):
        assert b" 404 " in (await house.say(word, path)).split(b"\r\n")[0]


@run
async def test_half_a_word_and_bytes_that_are_no_tls_open_nothing_and_harm_nobody(house: House) -> None:
    def half() -> bytes:
        with socket.create_connection(("127.0.0.1", house.store.port), timeout=10) as line:
            line.sendall(b"\x16\x03\x01\xff\xffnonsense")
            return line.recv(100)

    assert (await deferToThread(half))[:1] in (b"\x15", b"")  # an alert, or nothing
    assert b"400" in await house.say(b"GET /", "x" * 100)
    assert await house.get() == 3 << 20


@run
async def test_a_task_that_ended_is_closed_to_those_who_were_let_in_before(house: House) -> None:
    await house.store.put(str(house.folder / "file"), "another")
    assert await house.get() == 3 << 20
    await house.other.unpin("task")
    house.other.admit("task", TICKET)
    await house.store.unpin("task")
    with pytest.raises(ContentMissing, match="404"):
        await house.get()


@run
async def test_a_source_that_speaks_no_tls_is_named_and_the_next_one_asked(house: House) -> None:
    class Deaf(Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(b"HTTP/1.1 400 what\r\n\r\n")
            self.transport.loseConnection()

    assert isinstance(reactor, PosixReactorBase)
    deaf = reactor.listenTCP(0, Factory.forProtocol(Deaf), interface="127.0.0.1")
    place = f"127.0.0.1:{deaf.getHost().port}"  # type: ignore[attr-defined]  # TCP addresses have one
    with pytest.raises(ContentMissing, match=f"{place}: no answer"):
        await house.other.get(house.cid, [place], 8 << 20, "task")
    assert await house.other.get(house.cid, [place, house.place], 8 << 20, "task") == 3 << 20
    deaf.stopListening()


@run
async def test_a_store_may_be_public_by_choice(house: House) -> None:
    open_store = new_store(house.folder / "open", house.folder / "staging", Terms(64 << 20, is_public=True))
    open_store.startService()
    await open_store.put(str(house.folder / "file"), "any task")
    assert await house.other.get(house.cid, [f"127.0.0.1:{open_store.port}"], 8 << 20, "a stranger") == 3 << 20
    await open_store.stopService()


def test_a_rate_holds_for_one_address_and_in_all(tmp_path: Path) -> None:
    clock = Clock()
    rates = Rates(clock, each=100, all=150)
    assert rates.wait_s("a", 100) == pytest.approx(1.0)
    assert rates.wait_s("b", 50) == pytest.approx(1.0)
    assert rates.wait_s("b", 50) == pytest.approx(200 / 150)
    clock.advance(10)
    assert rates.wait_s("b", 100) == pytest.approx(1.0)
    assert Rates(clock).wait_s("a", 1 << 40) == 0.0
    for number in range(3 * MAX_ADDRESSES):
        clock.advance(1)
        rates.wait_s(str(number), 1)
    assert len(rates._free_of_s) <= MAX_ADDRESSES
    assert list(map(len, rates.cut([bytes(SLICE_BYTES + 1), b"x"]))) == [SLICE_BYTES, 1, 1]


@run
async def test_a_slow_gateway_gives_at_its_rate_and_ends_though_somebody_waits(house: House) -> None:
    assert isinstance(reactor, PosixReactorBase)
    slow = new_store(house.folder / "slow", house.folder / "staging", Terms(64 << 20, rate_all=6 << 20))
    slow.startService()
    await slow.put(str(house.folder / "file"), "user/me")
    place, begun = f"127.0.0.1:{slow.port}", reactor.seconds()
    assert await house.other.get(house.cid, [place], 8 << 20, "me") == 3 << 20
    assert reactor.seconds() - begun > 0.4
    await house.other.unpin("me")
    leaving = house.other.get(house.cid, [place], 8 << 20, "me")
    leaving.addErrback(lambda _: None)
    await deferLater(reactor, 0.1, lambda: None)
    await slow.stopService()
    await leaving


def test_tickets_are_forgotten_with_their_owners() -> None:
    tickets = Tickets()
    tickets.add("task", TICKET)
    tickets.add("nothing", Ticket(b""))
    word = Pass("task", TICKET).word(b"c")
    assert tickets.visitor(word, b"c") == "task"
    assert tickets.visitor(word, b"d") == tickets.visitor(b"", b"c") == tickets.visitor(word[:40], b"c") == ""
    tickets.drop("task")
    tickets.drop("task")
    assert tickets.visitor(word, b"c") == ""
    assert tickets.of("nothing") is None
