"""Strategies to verify results with, as values that templates are given; all of them pure. docs/verification.md."""

from golem.template import SpotCheck
from golem.verification.cheap import ProofOfWork, Structural, zero_bits
from golem.verification.combine import All, Distinct, Escalate, FirstDecisive, Sampled
from golem.verification.comparing import Comparator, canonical, exact, near
from golem.verification.recompute import PartialRecompute
from golem.verification.redundancy import FileRedundancy, Redundancy

__all__ = [
    "All",
    "Comparator",
    "Distinct",
    "Escalate",
    "FileRedundancy",
    "FirstDecisive",
    "PartialRecompute",
    "ProofOfWork",
    "Redundancy",
    "Sampled",
    "SpotCheck",
    "Structural",
    "canonical",
    "exact",
    "near",
    "zero_bits",
]
