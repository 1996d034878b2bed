"""One payment at a time, from the decision to a block that is deep enough.

    sign -> keep on disk -> send -> mined -> deep: done
              ^  ^           |        |
              |  '-- raise --'        '-- block undone: send the same bytes again
              '-- nonce taken by another program with our key: sign anew

Each look at the chain reads our nonce first and receipts afterwards; the other order would see nonces stolen that our
own transaction has just used. Everything that was signed and is not mined is sent again at every look, so that neither
a crash of ours nor a node that forgets its pool stops a payment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads, IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from golem.adapters.ethereum.attempts import DEPOSIT, Attempt, Attempts
from golem.adapters.ethereum.client import MAX_ASKED, Books, Client, Head
from golem.errors import ChainFault, NotEnoughFunds
from golem.interfaces import IChain, IKeyring
from golem.model.chain import Batch, Receipt, Sighting
from golem.model.ids import Address, derive
from golem.model.money import Wei, show_ether
from golem.model.value import Value
from golem.wire.account import keccak256
from golem.wire.transaction import (
    BASE_GAS,
    DEPOSIT_GAS,
    TAKE_GAS,
    Fees,
    Transaction,
    digest,
    offer,
    pay_gas,
    replaced,
    signed,
)
