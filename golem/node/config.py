"""A node's configuration: `golem.toml` in its folder, then the environment, then flags; read once and whole.

Every key is declared once, below, with its kind, its help and its default. All mistakes are reported together, each
with the place that it was made in. `GOLEM_PROVIDER_SLOTS=4` says what `slots = 4` under `[provider]` says.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, NamedTuple, get_type_hints

import msgspec

from golem.core.income import MAX_WINDOW_MS
from golem.errors import ConfigError
from golem.model.ids import NodeId
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Name
from golem.model.value import Value, evolve
from golem.node import kinds
from golem.node.kinds import Kind
from golem.node.passwords import Secret, read_password

FILE = "golem.toml"
MAX_FILE_BYTES = 1 << 20  # a thousand times the file that `golem init` writes
_STANDARD = Settings()


class Node(Value):
    """Who this node is on the network."""

    network: Annotated[Name, kinds.NETWORK, "only nodes of the same network talk to one another"] = "devnet"
    listen: Annotated[
        str, kinds.OPTIONAL_PLACE, "where other nodes connect; port 0 takes a free one; empty: nowhere"
    ] = "127.0.0.1:0"
    address: Annotated[str, kinds.OPTIONAL_PLACE, "how others reach `listen`, where that differs from it"] = ""
    bootstrap: Annotated[tuple[str, ...], kinds.PLACES, "nodes to connect to first"] = ()
    relay: Annotated[bool, kinds.FLAG, "carry connections to nodes that can't be dialled, within bounds"] = True
    strategy: Annotated[
        str, kinds.OPTIONAL_OBJECT, 'how it trades, as "module:attribute"; empty: by price, speed and trust'
    ] = ""
    password: Annotated[
        str, kinds.PASSWORD, 'the keys\' password: "env", "prompt", "keyring", "fd:3", "file:/path"'
    ] = "env"


class Provider(Value):
    """On what terms this node computes for others."""

    enabled: Annotated[bool, kinds.FLAG, "whether it does at all"] = False
    slots: Annotated[int, kinds.count(1, 1024), "how many jobs it runs at once"] = 1
    memory: Annotated[int, kinds.SIZE, "memory for all jobs together"] = 4 << 30
    templates: Annotated[tuple[Name, ...], kinds.NAMES, "kinds of task; also those that this node may request"] = ()
    min_price: Annotated[Wei, kinds.ETHER, "least price, in ether per hour of one core"] = Wei(0)
    peak_price: Annotated[Wei, kinds.ETHER, "price with all slots busy; 0: the least"] = Wei(0)
    min_requestor_trust: Annotated[float, kinds.SHARE, "below it a requestor is refused; a stranger has 0.5"] = (
        _STANDARD.min_requestor_trust
    )
    max_exposure: Annotated[Wei, kinds.ETHER, "most unpaid work for one requestor, in ether"] = _STANDARD.max_exposure
    executor: Annotated[str, kinds.choice("auto", "sandbox", "docker", "wasm", "host"), "what keeps jobs apart"] = (
        "auto"
    )
    i_trust_all_requestors: Annotated[bool, kinds.FLAG, 'needed by executor = "host", which keeps nothing apart'] = (
        False
    )
    requestors: Annotated[tuple[NodeId, ...], kinds.NODES, "work for these nodes only; none: for all"] = ()
    hours: Annotated[tuple[str, ...], kinds.HOURS, 'take new work only then: "22:00-06:00", "sat-sun 00:00-24:00"'] = ()
    idle_only: Annotated[bool, kinds.FLAG, "take new work only while nobody else uses this machine much"] = False
    cores: Annotated[int, kinds.count(0, 1024), "cores for all jobs together; 0: as many as slots"] = 0
    max_job: Annotated[int, kinds.DURATION, "refuse jobs that may take longer"] = _STANDARD.max_job_ms
    max_output: Annotated[int, kinds.SIZE, "refuse jobs that may write more"] = _STANDARD.max_output_bytes
    min_free: Annotated[int, kinds.SIZE, "take no new work with less free disk"] = 1 << 30
    docker_runtime: Annotated[str, kinds.OPTIONAL_NAME, "what makes containers, as runsc; empty: the engine's own"] = ""
    images: Annotated[tuple[str, ...], kinds.IMAGES, 'images of templates, as "blender=sha256:…"'] = ()
    gpu: Annotated[bool, kinds.FLAG, "show this machine's NVIDIA cards to jobs that ask for one"] = False
    host_templates: Annotated[tuple[Name, ...], kinds.NAMES, 'kinds of task that executor = "host" may run'] = ()


class Requestor(Value):
    """On what terms this node has others compute."""

    min_provider_trust: Annotated[float, kinds.SHARE, "below it a provider gets no work; a stranger has 0.5"] = (
        _STANDARD.min_provider_trust
    )
    check_share: Annotated[float, kinds.SHARE, "least share of results, or of each, to check; 1: all of it"] = 0.0


class Payment(Value):
    """The chain and the payment contract on it."""

    rpc: Annotated[str, kinds.TEXT, "URL of an Ethereum node; empty: no payments"] = ""
    contract: Annotated[str, kinds.ACCOUNT, "address of the payment contract"] = ""
    chain_id: Annotated[int, kinds.count(1, 2**53), "refuse any other chain"] = 1337
    confirmations: Annotated[int, kinds.count(0, 1000), "how deep a block must be to count"] = 2
    closure: Annotated[int, kinds.DURATION, "dues are gathered this long, then paid in one batch"] = (
        _STANDARD.closure_ms
    )
    window: Annotated[int, kinds.DURATION, "accepted work is paid within it"] = _STANDARD.payment_window_ms
    fee_share: Annotated[float, kinds.SHARE, "of a batch's value, the most for gas while it has time; 1: any"] = (
        _STANDARD.fee_share
    )
    most_gwei: Annotated[int, kinds.count(1, 10**6), "no transaction offers more than that for a unit of gas"] = 500
    witness: Annotated[str, kinds.TEXT, "URL of a second Ethereum node that must agree; empty: none"] = ""
    claim_after: Annotated[int, kinds.DURATION, "so long past due, work is claimed from the contract"] = (
        _STANDARD.claim_after_ms
    )
    withdraw_at: Annotated[Wei, kinds.ETHER, "so much earned is taken out by itself, in ether; 0: never"] = (
        _STANDARD.withdraw_at
    )


class Ipfs(Value):
    """The content store."""

    gateway: Annotated[str, kinds.PLACE, "where content is served to other nodes"] = "127.0.0.1:0"
    quota: Annotated[int, kinds.SIZE, "most content to keep"] = 20 << 30
    public: Annotated[bool, kinds.FLAG, "give tasks' content to anyone, not only to those who work at them"] = False
    rate_each: Annotated[int, kinds.SIZE, "most to give to one address in a second; 0: any"] = 0
    rate_all: Annotated[int, kinds.SIZE, "most to give in a second; 0: any"] = 0
    api: Annotated[str, kinds.TEXT, "RPC of an IPFS daemon to use too: http://127.0.0.1:5001 or unix:/path"] = ""


class Timing(Value):
    """How patient the node is."""

    lease_grace: Annotated[int, kinds.DURATION, "how long a vanished peer may take to come back"] = (
        _STANDARD.lease_grace_ms
    )
    verification: Annotated[int, kinds.DURATION, "how long the checks of one result may take"] = (
        _STANDARD.verification_ms
    )
    forsaken: Annotated[int, kinds.DURATION, "how long a requestor may be gone before its jobs here are ended"] = (
        _STANDARD.forsaken_ms
    )
    observe: Annotated[int, kinds.DURATION, "time between two looks at the chain"] = _STANDARD.observe_ms
    offers: Annotated[int, kinds.DURATION, "how long offers are gathered before the first pick"] = _STANDARD.offers_ms
    gossip_epoch: Annotated[int, kinds.DURATION, "reputations are averaged anew so often; the same on all nodes"] = (
        _STANDARD.gossip_epoch_ms
    )
    gossip_round: Annotated[int, kinds.DURATION, "time between two exchanges of reputations, of 30 in an epoch"] = (
        _STANDARD.gossip_round_ms
    )


class Config(Value):
    """All that the user decided. `folder`: absolute; it holds `golem.toml`, keys, journal, content and control socket.

    Durations are milliseconds, sizes bytes, prices wei.
    """

    folder: str
    node: Node = Node()
    provider: Provider = Provider()
    requestor: Requestor = Requestor()
    payment: Payment = Payment()
    ipfs: Ipfs = Ipfs()
    timing: Timing = Timing()
    password: Secret = Secret("")

    @property
    def key_folder(self) -> str:
        """Where `golem.adapters.keyring` keeps the keys."""
        return f"{self.folder}/keys"

    def to_toml(self) -> str:
        """The file that `load` reads as this: with help, and with what is as by default commented out."""
        lines: list[str] = []
        for section, kind in SECTIONS.items():
            lines += [f"# {(kind.__doc__ or '').splitlines()[0]}", f"[{section}]"]
            for key in KEYS.values():
                if key.section == section:
                    value = getattr(getattr(self, section), key.name)
                    mark = "# " if value == key.default else ""
                    lines.append(f"{mark}{key.name} = {key.kind.write(value)}  # {key.help}")
            lines.append("")
        return "\n".join(lines)


class Key(NamedTuple):
    """One key of the file."""

    section: str
    name: str
    kind: Kind
    help: str
    default: object


SECTIONS: dict[str, type[Value]] = {
    "node": Node,
    "provider": Provider,
    "requestor": Requestor,
    "payment": Payment,
    "ipfs": Ipfs,
    "timing": Timing,
}


def _declared(section: str, kind: type[Value]) -> Iterator[Key]:
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        *_, how, words = hints[field.name].__metadata__
        yield Key(section, field.name, how, words, field.default)


KEYS = {f"{key.section}.{key.name}": key for name, kind in SECTIONS.items() for key in _declared(name, kind)}

Found = dict[str, tuple[str, object]]
"""By "section.key": where it was said, and what."""


def load(folder: str, environ: Mapping[str, str], flags: Mapping[str, str]) -> Config:
    """Read the configuration of the node in `folder`. `flags`: "section.key" to text; they win over all else.

    Raises ConfigError with every mistake, one a line, where there is any.
    """
    home = Path(folder).expanduser().absolute()
    mistakes: list[str] = []
    found = _from_file(home / FILE, mistakes) | _from_environment(environ) | _from_flags(flags)
    config = _config(home, found, mistakes)
    secret = read_password(config.node.password, home, environ, mistakes)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return evolve(config, password=secret)


def first(folder: str, flags: Mapping[str, str]) -> Config:
    """The configuration of a new node, as these flags have it; without its password. Raises ConfigError as `load`."""
    mistakes: list[str] = []
    config = _config(Path(folder).expanduser().absolute(), _from_flags(flags), mistakes)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def _config(home: Path, found: Found, mistakes: list[str]) -> Config:
    values: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for key, (where, value) in found.items():
        try:
            section, name, kind, *_ = _known(key)
            values[section][name] = kind.read(value)
        except ValueError as why:
            mistakes.append(f"{where}: {key}: {why}")
    config = msgspec.convert({"folder": str(home), **values}, Config)
    mistakes += _contradictions(config)
    return config


def settings(config: Config) -> Settings:
    """What the core must know of it."""
    return Settings(
        provide=config.provider.enabled,
        slots=config.provider.slots,
        templates=config.provider.templates,
        min_price=config.provider.min_price,
        peak_price=config.provider.peak_price,
        min_requestor_trust=config.provider.min_requestor_trust,
        min_provider_trust=config.requestor.min_provider_trust,
        check_share=config.requestor.check_share,
        max_exposure=config.provider.max_exposure,
        payment_window_ms=config.payment.window,
        closure_ms=config.payment.closure,
        lease_grace_ms=config.timing.lease_grace,
        verification_ms=config.timing.verification,
        fee_share=config.payment.fee_share,
        claim_after_ms=config.payment.claim_after,
        has_chain=bool(config.payment.rpc),
        withdraw_at=config.payment.withdraw_at,
        forsaken_ms=config.timing.forsaken,
        max_job_ms=config.provider.max_job,
        max_output_bytes=config.provider.max_output,
        requestors=config.provider.requestors,
        observe_ms=config.timing.observe,
        offers_ms=config.timing.offers,
        gossip_epoch_ms=config.timing.gossip_epoch,
        gossip_round_ms=config.timing.gossip_round,
        bootstrap=config.node.bootstrap,
        strategy=config.node.strategy,
    )


def _known(key: str) -> Key:
    if key in KEYS:
        return KEYS[key]
    name = key.rpartition(".")[2]
    close = difflib.get_close_matches(key, KEYS, 1, 0.75) or [k for k in KEYS if k.endswith(f".{name}")]
    raise ValueError(f"no such key; did you mean {close[0]}?" if close else "no such key")


def _from_file(path: Path, mistakes: list[str]) -> Found:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES).decode()
        sections = tomllib.loads(text)
    except FileNotFoundError:
        mistakes.append(f"{path}: there is no such file; make it with: golem init {path.parent}")
        return {}
    except (OSError, ValueError) as why:
        mistakes.append(f"{path}: {why}")
        return {}
    found: Found = {}
    for section, values in sections.items():
        if isinstance(values, dict):
            found |= {f"{section}.{k}": (_place(path, text, section, k), value) for k, value in values.items()}
        else:
            mistakes.append(
                f"{_place(path, text, '', section)}: {section}: must stand under one of [{'], ['.join(SECTIONS)}]"
            )
    return found


def _place(path: Path, text: str, section: str, key: str) -> str:
    """Where a key stands, as "file:line"; tomllib doesn't tell, so the file alone where it isn't in plain sight."""
    name = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w-]+)\s*\]", line)
        current = header[1] if header else current
        if current == section and name.match(line):
            return f"{path}:{number}"
    return str(path)


def _from_flags(flags: Mapping[str, str]) -> Found:
    return {key: (f"--set {key}", text) for key, text in flags.items()}


def _from_environment(environ: Mapping[str, str]) -> Found:
    found: Found = {}
    for variable, text in environ.items():
        prefix, _, rest = variable.partition("_")
        section, _, key = rest.lower().partition("_")
        if prefix == "GOLEM" and section in SECTIONS and key:
            found[f"{section}.{key}"] = (variable, text)
    return found


def _contradictions(config: Config) -> Iterator[str]:
    """What is wrong though each key by itself is right. What is dangerous needs a second key that says so."""
    if not 100 <= config.timing.gossip_round <= config.timing.gossip_epoch:
        yield "timing.gossip_round: must be at least 100ms, and no longer than timing.gossip_epoch"
    provider = config.provider
    if provider.executor == "host" and not provider.i_trust_all_requestors:
        yield (
            'provider.executor: "host" lets strangers\' programs do all that you may; '
            "if you mean it, set provider.i_trust_all_requestors = true"
        )
    if provider.executor == "host" and (others := sorted({*provider.templates} - {*provider.host_templates})):
        yield f'provider.host_templates: name each template that "host" may run; {", ".join(others)} is not named'
    if provider.docker_runtime and provider.executor not in ("auto", "docker"):
        yield f'provider.docker_runtime: means nothing with executor = "{provider.executor}"'
    if provider.enabled and not provider.templates:
        yield 'provider.templates: a provider needs at least one, like ["blender"]'
    yield from _wrong_places(config.node)
    yield from _wrong_payment(config.payment)


def _wrong_places(node: Node) -> Iterator[str]:
    if not node.listen and node.address:
        yield "node.address: means nothing without node.listen; take it out, or say where this node listens"
    if not node.listen and not node.bootstrap:
        yield "node.bootstrap: a node that does not listen must know whom to dial: name a node that does"
    if node.listen and not _is_one_machine(node.listen) and not node.address:
        yield f"node.address: say how others reach {node.listen}, like golem.example.org:7300"


def _wrong_payment(payment: Payment) -> Iterator[str]:
    if bool(payment.rpc) != bool(payment.contract):
        yield "payment.rpc, payment.contract: set both, or neither"
    if payment.closure >= payment.window:
        yield "payment.closure: must be shorter than payment.window, by which work is to be paid"
    if payment.window > MAX_WINDOW_MS:
        yield "payment.window: providers take no promise of later than 7 days: say 7d at most"
    if payment.witness and payment.witness == payment.rpc:
        yield "payment.witness: is payment.rpc itself, and would always agree; name another Ethereum node, or none"


def _is_one_machine(place: str) -> bool:
    """Whether an address to listen on is one that others can dial as it stands, or on this machine only."""
    host, _ = kinds.split_place(place)
    try:
        return not ip_address(host).is_unspecified
    except ValueError:
        return True
