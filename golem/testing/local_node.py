"""One node of a LocalNetwork: what survives a kill, the run that does not, and the words in which tests speak of it."""

from __future__ import annotations
