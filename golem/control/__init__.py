"""The local API of a node."""
