"""`python -m golem.adapters.anvil`: the development chain of Foundry with the payment contract on it, until killed.

Takes the options of `golem.adapters.devchain` and announces itself by the same line. Anvil is a native program, in the
npm package `@foundry-rs/anvil`: `scripts/ensure_env.sh` puts it into the environment where there is npm.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from urllib.request import Request, urlopen

from golem.errors import ChainFault
from golem.model.money import ether

PACKAGES = "node_modules/@foundry-rs/anvil-*/bin/anvil"
ANSWER_S = 10.0
LISTENING = "Listening on "


def program() -> Path:
    """Where anvil is: ANVIL, beside this Python, or on PATH. Raises ChainFault, with the way to have it."""
    named = os.environ.get("ANVIL") or shutil.which("anvil")
    found = [Path(named)] if named else sorted((Path(sys.prefix) / "npm").glob(PACKAGES))
    if not found:
        raise ChainFault(
            f"there is no anvil: npm install --prefix {sys.prefix}/npm @foundry-rs/anvil, or name one by ANVIL=/path"
        )
    return found[0]


class Anvil:
    """One anvil on loopback, and what can be done to it. `args`: more of its options."""

    def __init__(self, port: int = 0, chain_id: int = 1337, *args: str) -> None:
        command = [str(program()), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id), *args]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.rpc = f"http://{self._place()}"
        self.ask("anvil_setLoggingEnabled", False)  # nobody reads on, and a full pipe would stop it

    def _place(self) -> str:
        said: list[str] = []
        for line in self._process.stdout or ():
            said.append(line)
            if line.startswith(LISTENING):
                return line.removeprefix(LISTENING).strip()
        raise ChainFault("anvil ended at once: " + "".join(said[-5:]).strip())

    def ask(self, method: str, *params: object) -> object:
        """One call of its JSON-RPC. Raises ChainFault with its own words."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = Request(self.rpc, body, {"Content-Type": "application/json"})  # noqa: S310 - our own, on loopback
        with urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
            said = json.load(answer)
        if "error" in said:
            raise ChainFault(f"anvil refused {method}: {said['error'].get('message')}")
        return said["result"]

    def fund(self, account: str, wei: int) -> None:
        """Say how much an account has."""
        self.ask("anvil_setBalance", account, hex(wei))

    def deploy(self) -> str:
        """Put the payment contract onto it; answers its address."""
        made = json.loads((files("golem.adapters") / "pairbank.json").read_text())
        (rich, *_) = _list(self.ask("eth_accounts"))
        name = self.ask("eth_sendTransaction", {"from": rich, "data": made["bytecode"], "gas": hex(8_000_000)})
        self.ask("anvil_mine")
        receipt = self.ask("eth_getTransactionReceipt", name)
        if not isinstance(receipt, dict) or receipt.get("status") != "0x1":
            raise ChainFault(f"anvil did not take the contract: {receipt}")
        return str(receipt["contractAddress"])

    def wait(self) -> None:
        """Until it ends."""
        self._process.wait()

    def stop(self, *, is_orderly: bool = False) -> None:
        """End it. `is_orderly`: with time to write its state, where it was told to by `--state`."""
        self._process.terminate() if is_orderly else self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def _list(answer: object) -> Sequence[object]:
    return answer if isinstance(answer, list) else []


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m golem.adapters.anvil", description="Foundry's chain for development.")
    parser.add_argument("--port", type=int, default=8545, help="on loopback; 0: any free one (default 8545)")
    parser.add_argument("--chain-id", type=int, default=1337, metavar="NUMBER", help="default 1337")
    parser.add_argument("--block", type=float, default=1.0, metavar="SECONDS", help="between blocks (default 1.0)")
    parser.add_argument("--fund", action="append", default=[], metavar="ACCOUNT=ETHER", help="may be given many times")
    return parser.parse_args(arguments)


def serve(arguments: Sequence[str]) -> None:
    """Start, fund, deploy, announce, and go on until told to stop."""
    options = _parse(arguments)
    anvil = Anvil(
        options.port, options.chain_id, "--block-time", str(options.block), "--block-base-fee-per-gas", "1000000000"
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for account, _, amount in (text.partition("=") for text in options.fund):
            anvil.fund(account, int(ether(amount)))
        place = {"rpc": anvil.rpc, "contract": anvil.deploy(), "chain_id": options.chain_id}
        sys.stdout.write(json.dumps(place) + "\n")
        sys.stdout.flush()
        anvil.wait()
    finally:
        anvil.stop()


if __name__ == "__main__":
    serve(sys.argv[1:])
