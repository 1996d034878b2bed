"""A chain for development and tests, in a process of its own: `python -m golem.adapters.devchain`.

py-evm executes (`evm`); JSON-RPC goes in and out (`forms`, `rpc`) over HTTP on loopback (`__main__`).
Its ether is worth nothing.
"""
