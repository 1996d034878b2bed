"""A peer-to-peer market for computing."""

__version__ = "0.1.0"
