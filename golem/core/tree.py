"""News to everybody: pushed along a tree, and mended from the side.

Each node passes news on to its eager neighbours at once, and tells the lazy ones only its id, a moment later. Whoever
gets the same news twice asks the second sender to be lazy, so that what is left is a tree; whoever hears of an id and
gets no news within half a second asks for it, and makes that link eager again. So news passes each link once at most,
and a tree that lost a branch grows another with the next news. Nothing is passed on that is past its time, or one too
many of its author's: whoever shouts is heard no more than others.
"""

from __future__ import annotations

from golem.core.rumours import Author, Bucket, Tree
from golem.core.turn import Turn
from golem.model import budgets
from golem.model.effects import Whisper
from golem.model.ids import NodeId, TaskId, derive
from golem.model.messages import MAX_IDS, Demand, Digest, Graft, NewsId, Prune, Reason, Withdrawal

GRAFT_MS = 500  # to wait for news whose id we heard, before we ask: a tree of 1,000 nodes takes 400 ms
DIGEST_MS = 500  # ids are gathered so long, since what stands around a message is larger than they
MAX_SEEN = budgets.SEEN.limit  # ids remembered, of 150 bytes
MAX_NEWS = 4_096  # kept to give again, of 500 bytes
MAX_MISSING = 4_096  # ids heard of and not got yet, 256 by the word of one neighbour alone
TTL_MS = budgets.LIFE_MS.limit  # the longest that a demand may want to live
AHEAD_MS = 600_000  # how far another's clock may be ahead of ours
RENEWED_MS = 15_000  # what is announced anew sooner than that is no news to others
LIVE_CARRIED = budgets.CARRIED.limit  # demands of one requestor that others carry for it
LIVE_STRAIGHT = budgets.STRAIGHT.limit  # that a node keeps which has them from the requestor itself
AUTHOR_PER_S, AUTHOR_BURST = 1.0, 20  # new ones of one requestor: 20 open tasks are announced in 30 s
LINK_PER_S = float(budgets.BROUGHT.limit)  # by one neighbour, whoever their authors are
LINK_BURST = 10 * budgets.BROUGHT.limit
MAX_AUTHORS = 10_000  # whose demands are counted

News = Demand | Withdrawal


def author_of(news: News, peer: NodeId) -> NodeId:
    """Who says it; a withdrawal without a name is the sender's own."""
    return news.requestor or peer


def name(news: News) -> NewsId:
    """What a piece of news is called; a demand announced anew is new."""
    at = news.expires_ms if isinstance(news, Demand) else "withdrawn"
    return NewsId(derive(str(news.requestor), news.task_id, at))


def publish(turn: Turn, news: News) -> None:
    """Tell our own news."""
    _remember(turn.state.tree, name(news), news)
    _pass_on(turn, news, ())


def withdraw(turn: Turn, task_id: TaskId) -> None:
    """Take back what we announced of a task, if we did."""
    me = turn.started.node_id
    if isinstance(turn.state.tree.news.get(turn.state.tree.latest.get(f"{me}/{task_id}", NewsId(""))), Demand):
        publish(turn, Withdrawal(task_id=task_id, requestor=me))


def take(turn: Turn, peer: NodeId, news: News) -> bool:
    """A neighbour brings news: pass it on if it is any; says whether it means anything to ourselves."""
    tree, what = turn.state.tree, name(news)
    tree.missing.pop(what, None)
    if what in tree.seen or news.requestor == turn.started.node_id:
        if peer not in tree.lazy:
            tree.lazy[peer] = None
            turn.ask(Whisper(to=(peer,), message=Prune()))
        return False
    if not _spend(tree.links.setdefault(peer, Bucket(LINK_BURST)), turn.now_ms, LINK_PER_S, LINK_BURST):
        turn.refuse("news", Reason.TOO_MANY)
        return False
    tree.lazy.pop(peer, None)
    _see(tree, what)
    author = _author(turn, author_of(news, peer))
    reason = _unwanted(turn, author, news, is_straight=news.requestor == peer)
    if reason is None and _is_carried(turn, author, news):
        _remember(tree, what, news)
        _pass_on(turn, news, (peer, author_of(news, peer)))
    elif reason is None and news.requestor != peer:
        reason = Reason.TOO_MANY
    if reason:
        turn.refuse("news", reason)
    return reason is None


def _author(turn: Turn, who: NodeId) -> Author:
    """What we carry for a node; the latest stand last."""
    authors = turn.state.tree.authors
    author = authors.pop(who, None) or Author(room=Bucket(AUTHOR_BURST))
    if len(authors) >= MAX_AUTHORS:
        del authors[next(iter(authors))]
    authors[who] = author
    for task_id in [task_id for task_id, until in author.live.items() if until < turn.now_ms]:
        del author.live[task_id]
    return author


def _unwanted(turn: Turn, author: Author, news: News, *, is_straight: bool) -> Reason | None:
    """Why news means nothing to us, or None. What is withdrawn makes room."""
    live = author.live
    if isinstance(news, Withdrawal):
        return None
    if not turn.now_ms <= news.expires_ms <= turn.now_ms + TTL_MS + AHEAD_MS or news.expires_ms < live.get(
        news.task_id, 0
    ):
        return Reason.LATE
    if news.task_id not in live and len(live) >= (LIVE_STRAIGHT if is_straight else LIVE_CARRIED):
        return Reason.TOO_MANY
    return None


def _is_carried(turn: Turn, author: Author, news: News) -> bool:
    """Whether to pass it on for its author, who is charged for it."""
    if isinstance(news, Withdrawal):
        return author.live.pop(news.task_id, None) is not None
    before = author.live.get(news.task_id, 0)
    author.live[news.task_id] = news.expires_ms
    if news.expires_ms - before < RENEWED_MS or len(author.live) > LIVE_CARRIED:
        return False
    return _spend(author.room, turn.now_ms, AUTHOR_PER_S, AUTHOR_BURST)


def _spend(bucket: Bucket, now_ms: int, per_s: float, burst: int) -> bool:
    """Take one, if there is any."""
    bucket.room = min(burst, bucket.room + max(0, now_ms - bucket.at_ms) * per_s / 1000)
    bucket.at_ms = now_ms
    if bucket.room < 1:
        return False
    bucket.room -= 1
    return True


def _see(tree: Tree, what: NewsId) -> None:
    tree.seen[what] = None
    if len(tree.seen) > MAX_SEEN:
        del tree.seen[next(iter(tree.seen))]


def _remember(tree: Tree, what: NewsId, news: News) -> None:
    """Keep it to give again, in the place of what its author said of the same task before."""
    _see(tree, what)
    key = f"{news.requestor}/{news.task_id}"
    tree.news.pop(tree.latest.pop(key, what), None)
    tree.latest[key] = what
    tree.news[what] = news
    if len(tree.news) > MAX_NEWS:
        del tree.news[tree.latest.pop(next(iter(tree.latest)))]


def _pass_on(turn: Turn, news: News, but: tuple[NodeId, ...]) -> None:
    tree = turn.state.tree
    here = [node for node, peer in turn.state.peers.items() if peer.is_connected and node not in but]
    if eager := tuple(node for node in here if node not in tree.lazy):
        turn.ask(Whisper(to=eager, message=news))
    lazy = [node for node in here if node in tree.lazy]
    if lazy and not tree.due:
        turn.after(DIGEST_MS, "digest")
    for node in lazy:
        tree.due.setdefault(node, []).append(name(news))


def on_digest_timer(turn: Turn) -> None:
    """Tell lazy neighbours what there is."""
    due, turn.state.tree.due = turn.state.tree.due, {}
    for node, ids in due.items():
        for first in range(0, len(ids), MAX_IDS):
            turn.ask(Whisper(to=(node,), message=Digest(ids=tuple(ids[first : first + MAX_IDS]))))


def on_digest(turn: Turn, peer: NodeId, digest: Digest) -> None:
    """A neighbour has news: if it does not come by itself soon, ask for it."""
    tree = turn.state.tree
    alone = sum(holders == [peer] for holders in tree.missing.values())
    for what in digest.ids:
        holders = tree.missing.get(what)
        has_room = alone < budgets.MISSING.limit and len(tree.missing) < MAX_MISSING
        if holders is None and what not in tree.seen and has_room:
            tree.missing[what] = [peer]
            alone += 1
        elif holders is not None and peer not in holders:
            holders.append(peer)
    _wait(turn)


def _wait(turn: Turn) -> None:
    tree = turn.state.tree
    if tree.missing and not tree.is_waiting:
        tree.is_waiting = True
        turn.after(GRAFT_MS, "graft")


def on_graft_timer(turn: Turn) -> None:
    """What did not come by itself is asked for, of one holder each time."""
    tree = turn.state.tree
    tree.is_waiting = False
    asked: dict[NodeId, list[NewsId]] = {}
    for what, holders in list(tree.missing.items()):
        holders[:] = [node for node in holders if _is_here(turn, node)]
        if not holders:
            del tree.missing[what]
        elif len(asked.setdefault(holders[0], [])) < MAX_IDS:
            asked[holders.pop(0)].append(what)
    for node, ids in asked.items():
        tree.lazy.pop(node, None)
        turn.ask(Whisper(to=(node,), message=Graft(ids=tuple(ids))))
    _wait(turn)


def _is_here(turn: Turn, node: NodeId) -> bool:
    peer = turn.state.peers.get(node)
    return peer is not None and peer.is_connected


def on_graft(turn: Turn, peer: NodeId, graft: Graft) -> None:
    """A neighbour wants news that it heard of, and all of it at once from now on."""
    tree = turn.state.tree
    tree.lazy.pop(peer, None)
    for what in graft.ids:
        if what in tree.news:
            turn.ask(Whisper(to=(peer,), message=tree.news[what]))


def on_prune(turn: Turn, peer: NodeId) -> None:
    """A neighbour gets our news from elsewhere."""
    if _is_here(turn, peer):
        turn.state.tree.lazy[peer] = None


def connected(turn: Turn, peer: NodeId) -> None:
    """A new neighbour is told which demands there are."""
    tree = turn.state.tree
    tree.lazy.pop(peer, None)
    live = [w for w, news in tree.news.items() if isinstance(news, Demand) and news.expires_ms >= turn.now_ms]
    if live:
        turn.ask(Whisper(to=(peer,), message=Digest(ids=tuple(live[-MAX_IDS:]))))


def lost(turn: Turn, peer: NodeId) -> None:
    """A neighbour is gone."""
    tree = turn.state.tree
    for book in (tree.lazy, tree.due, tree.links):
        book.pop(peer, None)
