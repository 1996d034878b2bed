"""The error tree: catch a family, raise a leaf.

A reader has two questions: which do I raise, and who catches mine?
`PeerError`: a peer broke the rules; its session ends. `Refused`: we say no, politely, with a reason.
`Fault`: the world failed; the driver reports it as an event and the core decides whether to retry.
`ConfigError`: stop at start and say what to change. `IllegalTransition`: our own bug, or a lying peer's message.
"""

from __future__ import annotations


class GolemError(Exception):
    """Root of the tree. Its text is shown to the user: it names the thing and the way out."""


class PeerError(GolemError):
    """A peer broke the protocol. Its session is dropped."""


class FrameTooLarge(PeerError):
    """A length prefix announced more than the limit; nothing of it was buffered."""


class Malformed(PeerError):
    """Bytes that are no message of ours."""


class BadSignature(PeerError):
    """An envelope, a demand or a handshake whose signature does not hold."""


class Replayed(PeerError):
    """A sequence number or an expiry outside the window."""


class Incompatible(PeerError):
    """No common protocol version, or another network."""


class Cheap(PeerError):
    """A node id that took less to make than its network asks."""


class Refused(GolemError):
    """We say no, for a named reason."""


class BadParameters(Refused):
    """A task's parameters make no sense; the text lists every mistake."""


class UnknownTemplate(Refused):
    """No enabled template of that name; the text lists those there are."""


class NotEnoughFunds(Refused):
    """The budget, or what is left of it, does not cover what was asked."""


class Locked(Refused):
    """A reserve can't be taken back yet; the text says from when on."""


class NotFound(Refused):
    """No such task, subtask or content."""


class Fault(GolemError):
    """The world failed: a disk, a daemon, a chain, a peer's silence."""


class StoreFault(Fault):
    """The content store failed."""


class DaemonFault(StoreFault):
    """The IPFS daemon beside us is down, slow, breaks off or says no."""


class ContentMissing(StoreFault):
    """Nobody we asked has the content."""


class ContentMismatch(StoreFault):
    """Bytes that are not what their content id names."""


class ContentUnreadable(StoreFault):
    """A content id, or a block that is what its id names, of a kind or shape we do not read; no other source helps."""


class TooLarge(StoreFault):
    """More bytes or files than were agreed on."""


class ExecutorFault(Fault):
    """The sandbox could not be set up; says nothing about the job itself."""


class WheelMissing(Fault):
    """A wheel that a template pins can't be had, or is not the one that it pins."""


class ChainFault(Fault):
    """The chain, or the node that we reach it through, failed."""


class NodeFault(ChainFault):
    """The Ethereum node did not answer, or not what it should; asked again, it may."""


class TooDear(ChainFault):
    """Gas costs more than was allowed for this; nothing was sent. Waiting helps."""


class ChainLies(ChainFault):
    """Two Ethereum nodes that should agree do not, or one has stood still. No money moves before they do."""


class JournalFault(Fault):
    """The journal could not be written or read. The node stops rather than goes on unrecorded."""


class TemplateFailed(Fault):
    """A template raised where it was asked about a task; the text says which, where and what. The task ends."""


class StrategyFailed(Fault):
    """The market strategy raised, or its answer was none; the text says where and what. The standard one is asked."""


class NotRunning(Fault):
    """No node answers in that folder."""


class ConfigError(GolemError):
    """The node can't start as it is configured. The text lists every mistake with its key."""


class KeyFault(ConfigError):
    """A key file is missing, damaged, readable by others, or the password is wrong."""


class TemplateMissing(ConfigError):
    """A template is enabled that is not installed; the text lists those there are."""


class TemplateBroken(ConfigError):
    """A template does not load or does not keep its interface; the text says which and why."""


class StrategyBroken(ConfigError):
    """The configured market strategy does not load or does not keep its interface; the text says which and why."""


class TemplateClash(ConfigError):
    """Two templates claim one name."""


class IllegalTransition(GolemError):
    """No row of the machine's table allows this event in this phase."""
