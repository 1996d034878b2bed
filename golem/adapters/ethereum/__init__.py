"""IChain on an Ethereum node: `chain` decides what to send, `attempts` remembers it, `client` alone talks to web3."""

from golem.adapters.ethereum.chain import EthereumChain, EthereumSettings

__all__ = ["EthereumChain", "EthereumSettings"]
