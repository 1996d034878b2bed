"""Decides. Pure: no clock, no chance, no I/O."""
