"""Which messages hold by themselves, apart from the envelope that they came in: sealed by their author, and checked."""

from __future__ import annotations

from golem.interfaces import IKeyring
from golem.model.chain import Domain
from golem.model.ids import NodeId
from golem.model.messages import Acceptance, Demand, Message, Opinions, PeerList, Reminder, Share, Withdrawal
from golem.wire import toil
from golem.wire.signing import payee_digest, sign_word, verify_word
from golem.wire.voucher import sign_acceptance, verify_voucher


def payee_proof(keyring: IKeyring, network: str) -> bytes:
    """What our payment key says of our node key."""
    return keyring.sign_payment(payee_digest(network, keyring.node_id))


def seal(keyring: IKeyring, network: str, domain: Domain, message: Message) -> Message:
    """Our message with the signatures that it needs: a word to all nodes, an acceptance for the contract.

    The same message is always sealed by the same bytes, so what is said again after a crash is the same voucher.
    """
    if isinstance(message, Demand) and not message.signature:
        return sign_word(keyring.sign, network, message)
    if isinstance(message, Withdrawal) and message.requestor and not message.signature:
        return sign_word(keyring.sign, network, message)
    if isinstance(message, PeerList):
        return PeerList(peers=tuple(r if r.signature else sign_word(keyring.sign, network, r) for r in message.peers))
    if isinstance(message, Acceptance) and not message.signature:
        return sign_acceptance(keyring.sign_payment, domain, message)
    return message


def verify(network: str, domain: Domain, message: Message) -> None:
    """Raise BadSignature where a message, or what it passes on, does not hold by itself; Cheap where a node is."""
    match message:
        case Demand():
            verify_word(network, message)
        case Withdrawal(requestor=str()):
            verify_word(network, message)
        case PeerList(peers=records):
            for record in records:
                verify_word(network, record)
        case Share(sums=rated) | Opinions(of=rated):
            for target, *_ in rated:
                toil.check(network, NodeId(target.partition("/")[2]))
        case Acceptance() | Reminder():
            verify_voucher(domain, message.voucher)
