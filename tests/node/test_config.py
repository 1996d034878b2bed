"""The configuration: read whole or refused whole, with every mistake named where it was made."""

from __future__ import annotations

import os
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from golem.errors import ConfigError
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.node import units
from golem.node.config import FILE, KEYS, Config, Node, Payment, Provider, load, settings

ENVIRON = {"GOLEM_PASSWORD": "correct horse"}


def _load(folder: Path, text: str, environ: dict[str, str] | None = None, **flags: str) -> Config:
    (folder / FILE).write_text(text)
    return load(str(folder), ENVIRON | (environ or {}), {key.replace("__", "."): text for key, text in flags.items()})


def _mistakes(folder: Path, text: str, environ: dict[str, str] | None = None, **flags: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        _load(folder, text, environ, **flags)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    config = _load(tmp_path, "")
    assert config == Config(folder=str(tmp_path), password=config.password)
    assert settings(config) == Settings(has_chain=False)


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    text = "[provider]\nslots = 1\nmemory = '1GiB'\nmin_price = '0.5'"
    config = _load(tmp_path, text, {"GOLEM_PROVIDER_SLOTS": "2", "GOLEM_PROVIDER_MEMORY": "2GiB"}, provider__slots="3")
    assert (config.provider.slots, config.provider.memory, config.provider.min_price) == (3, 2 << 30, 5 * 10**17)


def test_a_network_asks_for_no_more_toil_than_a_machine_can_do(tmp_path: Path) -> None:
    assert _load(tmp_path, '[node]\nnetwork = "open.24bits"').node.network == "open.24bits"
    (mistake,) = _mistakes(tmp_path, '[node]\nnetwork = "open.25bits"')
    assert mistake.startswith("golem.toml:2: node.network: must end in 24bits at most")


def test_every_mistake_is_reported_at_once_with_its_place(tmp_path: Path) -> None:
    text = """
[node]
listen = "nowhere"
[provider]
slotz = 3
min_price = "cheap"
memory = "4 gigs"
[paymnt]
closure = "15m"
"""
    assert _mistakes(tmp_path, text, {"GOLEM_IPFS_QUOTA": "much"}, timing__observe="soon") == [
        'golem.toml:3: node.listen: must be "host:port", with a port up to 65535',
        "golem.toml:5: provider.slotz: no such key; did you mean provider.slots?",
        "golem.toml:6: provider.min_price: not an amount of ether: 'cheap' (write it like 0.25)",
        "golem.toml:7: provider.memory: write it like 4GiB (a whole number, then one of TiB, GiB, MiB, KiB, B)",
        "golem.toml:9: paymnt.closure: no such key; did you mean payment.closure?",
        "GOLEM_IPFS_QUOTA: ipfs.quota: write it like 4GiB (a whole number, then one of TiB, GiB, MiB, KiB, B)",
        "--set timing.observe: timing.observe: write it like 15m (a whole number, then one of d, h, m, s, ms)",
    ]


def test_a_file_that_is_no_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    assert "line 2" in _mistakes(tmp_path, "[node]\nlisten = ?\n")[0]


def test_a_folder_without_a_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="golem init"):
        load(str(tmp_path / "nothing"), ENVIRON, {})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[provider]\nexecutor = 'host'", "i_trust_all_requestors"),
        ("[provider]\nenabled = true", "provider.templates"),
        ("[node]\nlisten = '0.0.0.0:7300'", "node.address"),
        ("[node]\nlisten = '[::]:7300'", "node.address"),
        ("[node]\nlisten = ''", "must know whom to dial"),
        ("[node]\nlisten = ''\naddress = '8.8.8.8:1'\nbootstrap = ['9.9.9.9:1']", "without node.listen"),
        ("[payment]\nrpc = 'http://127.0.0.1:8545'", "payment.contract"),
        ("[payment]\nclosure = '2d'", "payment.closure"),
        ("[node]\npassword = 'hunter2'", "never the password itself"),
        ("[provider]\nslots = true", "whole number"),
        ("[provider]\nslots = 0", "from 1 to 1024"),
        ("[provider]\nenabled = 1", "true or false"),
        ("[provider]\ntemplates = ['../x']", "must be a name"),
        ("[requestor]\nmin_provider_trust = 1.5", "from 0 to 1"),
        ("[payment]\ncontract = '0xabc'", "40 hex digits"),
        ("[provider]\nimages = ['blender=blender:latest']", "by its digest"),
        ("[provider]\nexecutor = 'sandbox'\ndocker_runtime = 'runsc'", "docker_runtime: means nothing"),
        ("[provider]\nhours = ['22-6']", "22:00-06:00"),
        ("[provider]\nrequestors = ['0xabc']", "66 hex digits"),
        ("node = 3", "must stand under one of"),
    ],
)
def test_what_is_wrong_or_dangerous_is_refused(tmp_path: Path, text: str, key: str) -> None:
    mistakes = _mistakes(tmp_path, text)
    assert len(mistakes) == 1
    assert key in mistakes[0]


def test_running_strangers_programs_bare_needs_the_flag_that_says_so(tmp_path: Path) -> None:
    text = "[provider]\nexecutor = 'host'\ni_trust_all_requestors = true\ntemplates = ['echo', 'blender']"
    with pytest.raises(ConfigError, match=r"host_templates: name each .* may run; blender is not named"):
        _load(tmp_path, text + "\nhost_templates = ['echo']")
    assert _load(tmp_path, text + "\nhost_templates = ['echo', 'blender']").provider.executor == "host"


def test_what_to_toml_writes_load_reads_as_the_same(tmp_path: Path) -> None:
    config = Config(
        folder=str(tmp_path),
        node=Node(network="rohm", listen="[::1]:7300", bootstrap=("a.example:1", "b.example:2")),
        provider=Provider(enabled=True, slots=7, templates=("echo", "blender"), min_price=Wei(1), memory=(1 << 30) + 1),
        payment=Payment(rpc='http://x/"\\\x7f', contract="0x" + "ab" * 20, closure=90_001),
    )
    loaded = _load(tmp_path, config.to_toml())
    assert loaded == Config(
        **{name: getattr(config, name) for name in config.__struct_fields__} | {"password": loaded.password}
    )


def test_the_file_explains_every_key_and_leaves_defaults_to_us(tmp_path: Path) -> None:
    text = Config(folder=str(tmp_path)).to_toml()
    assert all(f"# {key.name} = {key.kind.write(key.default)}  # {key.help}" in text for key in KEYS.values())


def test_the_password_comes_from_where_the_file_says_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    config = _load(tmp_path, "[node]\npassword = 'file:secret'")
    assert config.password.reveal == "from a file"
    assert "from a file" not in repr(config) + config.to_toml()
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe\n")
    os.close(writer)
    assert _load(tmp_path, "", node__password=f"fd:{reader}").password.reveal == "from a pipe"
    os.close(reader)


class Store(KeyringBackend):
    """The desktop's, in memory; locked until `kept` is there."""

    priority = 1
    kept: dict[tuple[str, str], str] | None = None

    def get_password(self, service: str, username: str) -> str | None:
        if self.kept is None:
            raise KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept = {**(self.kept or {}), (service, username): password}


def test_the_password_may_lie_in_the_desktops_store(tmp_path: Path) -> None:
    store, before = Store(), keyring.get_keyring()
    keyring.set_keyring(store)
    try:
        with pytest.raises(ConfigError, match=r"node\.password.*does not answer: locked"):
            _load(tmp_path, "", node__password="keyring")
        keyring.set_password("golem", "another folder", "no")
        with pytest.raises(ConfigError, match=f"has none for {tmp_path}: keyring set golem {tmp_path}"):
            _load(tmp_path, "", node__password="keyring")
        keyring.set_password("golem", str(tmp_path), "from the store")
        assert _load(tmp_path, "", node__password="keyring").password.reveal == "from the store"
    finally:
        keyring.set_keyring(before)


def test_without_a_password_the_way_out_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")
    with pytest.raises(ConfigError, match="GOLEM_PASSWORD is not set"):
        load(str(tmp_path), {}, {})


@given(st.integers(min_value=0, max_value=2**50))
def test_durations_and_sizes_are_written_so_that_they_are_read_the_same(amount: int) -> None:
    assert units.duration(units.show_duration(amount)) == amount
    assert units.size(units.show_size(amount)) == amount


@given(st.text(max_size=12))
def test_text_that_is_no_duration_is_a_value_error_and_nothing_worse(text: str) -> None:
    try:
        assert units.duration(text) >= 0
    except ValueError as why:
        assert "15m" in str(why)


def test_a_prompt_without_a_terminal_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"node\.password.*needs a terminal"):
        _load(tmp_path, "[node]\npassword = 'prompt'")
