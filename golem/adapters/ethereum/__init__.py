"""IChain on an Ethereum node: `chain` says what, `sender` how, `attempts` remembers it, `client` talks to web3."""

from golem.adapters.ethereum.chain import EthereumChain
from golem.adapters.ethereum.settings import EthereumSettings

__all__ = ["EthereumChain", "EthereumSettings"]
