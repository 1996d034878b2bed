"""The password store of the desktop (Secret Service, KWallet, macOS, Windows), by the `keyring` package."""

from __future__ import annotations

from golem.errors import KeyFault

SERVICE = "golem"


def kept_password(name: str) -> str:
    """The password that the user has put there under `golem` and `name`. Raises KeyFault, with the way out."""
    try:
        import keyring
        import keyring.errors
    except ImportError as why:
        raise KeyFault("the keyring package is not installed: pip install 'golem[keyring]'") from why
    try:
        found = keyring.get_password(SERVICE, name)
    except keyring.errors.KeyringError as why:
        raise KeyFault(f"the desktop's password store does not answer: {why}") from why
    if found is None:
        raise KeyFault(f"the desktop's password store has none for {name}: keyring set {SERVICE} {name}")
    return found
