"""Which messages hold by themselves, apart from the envelope that they came in: sealed by their author, and checked."""

from __future__ import annotations

from golem.interfaces import IKeyring
from golem.model.chain import Domain
from golem.model.messages import Acceptance, Demand, Message
from golem.wire.signing import payee_digest, sign_demand, verify_demand
from golem.wire.voucher import sign_acceptance, verify_voucher


def payee_proof(keyring: IKeyring, network: str) -> bytes:
    """What our payment key says of our node key."""
    return keyring.sign_payment(payee_digest(network, keyring.node_id))


def seal(keyring: IKeyring, network: str, domain: Domain, message: Message) -> Message:
    """Our message with the signature that it needs: a demand's for all nodes, an acceptance's for the contract.

    The same message is always sealed by the same bytes, so what is said again after a crash is the same voucher.
    """
    if isinstance(message, Demand) and not message.signature:
        return sign_demand(keyring.sign, network, message)
    if isinstance(message, Acceptance) and not message.signature:
        return sign_acceptance(keyring.sign_payment, domain, message)
    return message


def verify(network: str, domain: Domain, message: Message) -> None:
    """Raise BadSignature where a message does not hold by itself."""
    if isinstance(message, Demand):
        verify_demand(network, message)
    elif isinstance(message, Acceptance):
        verify_voucher(domain, message.voucher)
