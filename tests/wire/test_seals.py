"""Messages that hold by themselves."""

from __future__ import annotations

import pytest

from golem.errors import BadSignature, Cheap
from golem.model.chain import Domain
from golem.model.messages import Acceptance, Demand, Message, Opinions, PeerList, Reminder, Share, Withdrawal
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.samples import TASK, messages
from golem.wire.seals import payee_proof, seal, verify
from golem.wire.signing import verify_payee, verify_word

ALICE = FixedKeyring("alice")
DOMAIN = Domain(chain_id=1337)
SEALED = [message for message in messages() if isinstance(message, Demand | Withdrawal | Acceptance)]


@pytest.mark.parametrize("message", SEALED, ids=lambda message: type(message).__name__)
def test_what_must_hold_by_itself_is_sealed_once_and_checked(message: Demand | Withdrawal | Acceptance) -> None:
    bare = evolve(message, signature=b"")
    with pytest.raises(BadSignature):
        verify("devnet", DOMAIN, bare)
    sealed = seal(ALICE, "devnet", DOMAIN, bare)
    verify("devnet", DOMAIN, sealed)
    assert sealed == message == seal(ALICE, "devnet", DOMAIN, sealed)


def test_our_own_record_is_sealed_and_those_of_others_are_passed_on_as_they_are() -> None:
    (told,) = [message for message in messages() if isinstance(message, PeerList)]
    own, other = told.peers
    sealed = seal(ALICE, "devnet", DOMAIN, PeerList(peers=(evolve(own, signature=b""), other)))
    assert sealed == told
    verify("devnet", DOMAIN, sealed)
    with pytest.raises(BadSignature):
        verify("devnet", DOMAIN, PeerList(peers=(own, evolve(other, address="192.0.2.9:1"))))


def test_a_reminder_shows_a_voucher_that_the_payer_signed_for_this_contract() -> None:
    (reminder,) = [message for message in messages() if isinstance(message, Reminder)]
    verify("devnet", DOMAIN, reminder)
    with pytest.raises(BadSignature, match="chain 1"):
        verify("devnet", Domain(chain_id=1), reminder)


def test_a_withdrawal_from_one_node_to_another_is_its_own_and_needs_no_seal() -> None:
    plain = Withdrawal(task_id=TASK)
    verify("devnet", DOMAIN, plain)
    assert seal(ALICE, "devnet", DOMAIN, plain) is plain
    with pytest.raises(BadSignature):
        verify_word("devnet", plain)


@pytest.mark.parametrize("message", set(messages()) - set(SEALED), ids=lambda message: type(message).__name__)
def test_all_else_stays_as_it_is(message: Message) -> None:
    verify("devnet", DOMAIN, message)
    assert seal(ALICE, "devnet", DOMAIN, message) == message


def test_the_payment_key_says_whose_income_it_takes() -> None:
    verify_payee("devnet", ALICE.node_id, ALICE.account, payee_proof(ALICE, "devnet"))


SPEAKING_OF_NODES = [m for m in messages() if isinstance(m, Demand | PeerList | Share | Opinions)]


@pytest.mark.parametrize("message", SPEAKING_OF_NODES, ids=lambda message: type(message).__name__)
def test_nothing_speaks_of_a_node_that_took_too_little_to_make(message: Message) -> None:
    with pytest.raises(Cheap, match="asks for 24"):
        verify("open.24bits", DOMAIN, message)
