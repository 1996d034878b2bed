"""Counts, over ranges of numbers, those whose digest begins with zeros: a map task to show verifiers with."""

from apps.tally.template import Tally

template = Tally()

__all__ = ["template"]
