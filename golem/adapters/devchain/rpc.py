"""JSON-RPC 2.0 over the chain: one request or a batch of them, as text, in; one answer, as text, out.

Ethereum's methods, as far as wallets and web3 need them, and those of development nodes: `evm_mine`, `evm_revert`
(to a block number), `evm_setAutomine`, `anvil_setNextBlockBaseFeePerGas`. Ours: `golem_fund(address, wei)`, a faucet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from eth.abc import ComputationAPI, StateAPI
from eth.exceptions import VMError
from eth_utils.exceptions import ValidationError

from golem import __version__
from golem.adapters.devchain.evm import DevChain, Rejected, base_fee
from golem.adapters.devchain.forms import (
    Json,
    Params,
    block_form,
    logs_form,
    quantity,
    receipt_form,
    text,
    transaction_form,
)
from golem.wire.account import keccak256
from golem.wire.transaction import rlp

MAX_CALLS = 100  # in one batch
MAX_BLOCKS = 1024  # that eth_feeHistory answers at once
MAX_LOGS = 10_000  # that eth_getLogs answers at once, as public nodes have it
PARSE, REQUEST, METHOD, PARAMS, SERVER, REVERTED = -32700, -32600, -32601, -32602, -32000, 3
ERROR_STRING = bytes.fromhex("08c379a0")  # the selector of Error(string), as Solidity and Vyper revert


class Failed(Exception):
    """A call that is answered by an error."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.form = {"code": code, "message": message} | ({"data": data} if data is not None else {})


class Rpc:
    """The methods."""

    def __init__(self, chain: DevChain) -> None:
        self._chain = chain
        self._methods: Mapping[str, Callable[[Params], Json]] = {
            "web3_clientVersion": lambda _: f"golem-devchain/{__version__}",
            "net_version": lambda _: str(chain.chain_id),
            "eth_chainId": lambda _: quantity(chain.chain_id),
            "eth_blockNumber": lambda _: quantity(self._head),
            "eth_accounts": lambda _: [],
            "eth_syncing": lambda _: False,
            "eth_gasPrice": lambda _: quantity(base_fee(chain.head) * 2),
            "eth_maxPriorityFeePerGas": lambda _: quantity(1),
            "eth_feeHistory": self._fee_history,
            "eth_getBalance": lambda p: quantity(self._state(p).get_balance(p.address(0))),
            "eth_getTransactionCount": lambda p: quantity(self._state(p).get_nonce(p.address(0))),
            "eth_getCode": lambda p: text(self._state(p).get_code(p.address(0))),
            "eth_getBlockByNumber": self._block,
            "eth_getLogs": self._logs,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_sendRawTransaction": lambda p: text(chain.add(p.data(0))),
            "eth_call": lambda p: text(_output(chain.call(p.message(0), p.block(1, self._head)))),
            "eth_estimateGas": lambda p: quantity(chain.estimate(p.message(0), p.block(1, self._head))),
            "evm_mine": lambda _: quantity(chain.mine().header.block_number),
            "evm_revert": self._revert,
            "evm_setAutomine": self._set_automine,
            "anvil_setNextBlockBaseFeePerGas": self._set_base_fee,
            "golem_fund": lambda p: text(chain.fund(p.address(0), p.number(1))),
        }

    def answer(self, request: bytes) -> bytes:
        """The answer to a request or a batch, never an exception."""
        try:
            asked = json.loads(request)
        except (ValueError, RecursionError):
            return _write(_error(None, Failed(PARSE, "parse error")))
        if not isinstance(asked, list):
            return _write(self._one(asked))
        if not 0 < len(asked) <= MAX_CALLS:
            return _write(_error(None, Failed(REQUEST, f"a batch has 1 to {MAX_CALLS} requests")))
        return _write([self._one(one) for one in asked])

    def _one(self, asked: Json) -> Json:
        if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
            return _error(None, Failed(REQUEST, "not a request"))
        name = asked.get("id")
        method = self._methods.get(asked["method"])
        if method is None:
            return _error(name, Failed(METHOD, f"the method {asked['method']:.80} does not exist"))
        try:
            return {"jsonrpc": "2.0", "id": name, "result": method(Params(asked.get("params", [])))}
        except Failed as why:
            return _error(name, why)
        except ValueError as why:
            return _error(name, Failed(PARAMS, str(why)))
        except (Rejected, VMError, ValidationError) as why:
            return _error(name, Failed(SERVER, str(why)))

    @property
    def _head(self) -> int:
        return len(self._chain.blocks) - 1

    def _state(self, params: Params) -> StateAPI:
        return self._chain.vm(params.block(1, self._head)).state

    def _block(self, params: Params) -> Json:
        try:
            number = params.block(0, self._head)
        except ValueError:
            return None
        return block_form(self._chain.blocks[number], full=params.flag(1))

    def _transaction(self, params: Params) -> Json:
        name = params.data(0, 32)
        if name in self._chain.places:
            number, index = self._chain.places[name]
            mined = self._chain.blocks[number]
            return transaction_form(mined.transactions[index], mined, index)
        waiting = next((t for t in self._chain.pool.values() if t.hash == name), None)
        return transaction_form(waiting, None, 0) if waiting else None

    def _logs(self, params: Params) -> Json:
        wanted = params.logs(0, self._head)
        found: list[Json] = []
        for mined in self._chain.blocks[wanted.first : wanted.last + 1]:
            found += logs_form(mined, wanted)
            if len(found) > MAX_LOGS:
                raise Failed(SERVER, f"query returned more than {MAX_LOGS} results")
        return found

    def _receipt(self, params: Params) -> Json:
        place = self._chain.places.get(params.data(0, 32))
        if place is None:
            return None
        mined, index = self._chain.blocks[place[0]], place[1]
        transaction = mined.transactions[index]
        created = None if transaction.to else keccak256(rlp([transaction.sender, transaction.nonce]))[-20:]
        return receipt_form(mined, index, created)

    def _fee_history(self, params: Params) -> Json:
        newest = params.block(1, self._head)
        oldest = max(0, newest + 1 - min(params.number(0), MAX_BLOCKS))
        headers = [mined.header for mined in self._chain.blocks[oldest : newest + 1]]
        percentiles = params[2] if params.flag(2) else []
        return {
            "oldestBlock": quantity(oldest),
            "baseFeePerGas": [quantity(base_fee(h)) for h in [*headers, self._chain.after(newest)]],
            "gasUsedRatio": [h.gas_used / h.gas_limit for h in headers],
            "reward": [[quantity(1) for _ in percentiles] for _ in headers] if isinstance(percentiles, list) else [],
        }

    def _revert(self, params: Params) -> Json:
        self._chain.revert(params.block(0, self._head))
        return True

    def _set_automine(self, params: Params) -> Json:
        self._chain.automine = params.flag(0)
        return True

    def _set_base_fee(self, params: Params) -> Json:
        self._chain.next_base_fee = params.number(0)
        return None


def _output(done: ComputationAPI) -> bytes:
    if not done.is_error:
        return done.output
    data, reason = done.output, ""
    if data.startswith(ERROR_STRING):
        size = int.from_bytes(data[36:68], "big")
        reason = ": " + data[68 : 68 + size].decode(errors="replace")
    raise Failed(REVERTED, f"execution reverted{reason}", text(data))


def _error(name: Json, why: Failed) -> Json:
    return {"jsonrpc": "2.0", "id": name, "error": why.form}


def _write(form: Json) -> bytes:
    return json.dumps(form).encode()
