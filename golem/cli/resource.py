"""`golem resource`: files by their content id: put in, take out, keep, let go of."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from golem.cli.command import Call, Parser, Verbs
from golem.cli.exits import Exit
from golem.control.views import Stock, view
from golem.errors import GolemError

CID = re.compile(r"b[a-z2-7]{50,110}")
LOOK_S = 0.5  # between two looks at how far an import is
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def add(parser: Parser, environ: Mapping[str, str], _: Sequence[str]) -> None:
    """See `golem.cli.command.Noun`."""
    verbs = Verbs(parser, environ)
    put = verbs.add("add", _add, "put a file or folder in, where it lies, and say its content id")
    get = verbs.add("get", _get, "write content as a file or folder, after fetching what is not here")
    verbs.add("ls", _ls, "list what is here, and for whom")
    pin = verbs.add("pin", _pin, "keep content, after fetching what is not here")
    unpin = verbs.add("unpin", _unpin, "do not keep content any more; tasks that need it keep it")
    verbs.add("gc", _gc, "forget what can't be read any more: files that changed, transfers that nobody goes on with")
    verbs.add("stat", _stat, "show how much room content takes, and where others get it")
    put.add_argument("path", metavar="PATH", help="a file or folder of this machine")
    for verb in (get, pin, unpin):
        verb.add_argument("cid", metavar="CID", type=_cid, help="a content id, as golem resource ls shows it")
    get.add_argument("path", metavar="PATH", help="where to write it; must not exist")
    for verb in (get, pin):
        verb.add_argument(
            "--from", dest="sources", metavar="HOST:PORT", action="append", default=[], help="the gateway of a node"
        )


def _cid(text: str) -> str:
    if not CID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no content id as golem resource ls shows it")
    return text


def _do(call: Call, words: str, **wish: object) -> int:
    answer = call.client.post("/resources", wish)
    if call.screen.is_json:
        call.screen.record(answer)
    else:
        found = answer if isinstance(answer, dict) else {}
        sizes = {name: size(int(found[name])) for name in ("size_bytes", "freed_bytes") if name in found}
        call.screen.say(words.format(cid=found.get("cid", ""), **sizes))
    return Exit.OK


def _add(call: Call) -> int:
    path = str(Path(call.args.path).resolve())
    with _progress(call, path):
        return _do(call, "{cid}  {size_bytes}", type="Add", path=path)


@contextmanager
def _progress(call: Call, path: str) -> Iterator[None]:
    """Show in a terminal how much of a path is read by now."""
    over = Event()

    def look() -> None:
        with suppress(GolemError):  # who puts it in is told
            while not over.wait(LOOK_S):
                for one in view(Stock, call.client.get("/resources")).importing:
                    if one.path == path:
                        call.screen.live(f"{path}: {size(one.read_bytes)} read")

    looking = Thread(target=look, daemon=True)
    if call.screen.is_live:
        looking.start()
    try:
        yield
    finally:
        over.set()
        if call.screen.is_live:
            looking.join()


def _get(call: Call) -> int:
    path = str(Path(call.args.path).absolute())
    return _do(call, f"{path}  {{size_bytes}}", type="Get", cid=call.args.cid, path=path, sources=call.args.sources)


def _pin(call: Call) -> int:
    return _do(call, "keeps {cid}, {size_bytes}", type="Pin", cid=call.args.cid, sources=call.args.sources)


def _unpin(call: Call) -> int:
    return _do(call, "let go of {cid}", type="Unpin", cid=call.args.cid)


def _gc(call: Call) -> int:
    return _do(call, "freed {freed_bytes}", type="Collect")


def _ls(call: Call) -> int:
    record = call.client.get("/resources")
    if call.screen.is_json:
        call.screen.record(record)
        return Exit.OK
    stock = view(Stock, record)
    rows = [(kept.cid, size(kept.size_bytes), ", ".join(map(_owner, kept.owners))) for kept in stock.kept]
    rows += [(i.cid, size(i.size_bytes), f"comes in: {size(i.received_bytes)} so far") for i in stock.incoming]
    rows += [("", size(i.read_bytes), f"goes in, so much read: {i.path}") for i in stock.importing]
    call.screen.table(("CONTENT", "SIZE", "FOR"), rows, "nothing is here; put something in with: golem resource add")
    return Exit.OK


def _stat(call: Call) -> int:
    record = call.client.get("/resources")
    stock = view(Stock, record)
    if call.screen.is_json:
        numbers = {"contents": len(stock.kept), "incoming": len(stock.incoming)}
        room = {"used_bytes": stock.used_bytes, "quota_bytes": stock.quota_bytes}
        call.screen.record(numbers | room | {"gateway": stock.gateway})
        return Exit.OK
    call.screen.fields(
        ("contents", f"{len(stock.kept)}, of {size(sum(kept.size_bytes for kept in stock.kept))}"),
        ("coming in", str(len(stock.incoming))),
        ("on this disk", f"{size(stock.used_bytes)} of {size(stock.quota_bytes)} (ipfs.quota)"),
        ("served at", f"{stock.gateway} (ipfs.gateway); others say it behind --from"),
    )
    return Exit.OK


def _owner(owner: str) -> str:
    return "you" if owner.startswith("user/") else f"task {owner[:8]}"


def size(count: int) -> str:
    """Bytes, for people."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f} {UNITS[unit]}" if unit == 0 else f"{amount:.1f} {UNITS[unit]}"
