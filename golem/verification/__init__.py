"""Strategies to verify results with, as values that templates are given; all of them pure. docs/verification.md."""

from golem.verification.sampled import Sampled

__all__ = ["Sampled"]
