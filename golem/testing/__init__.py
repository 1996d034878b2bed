"""Shipped means of testing: doubles, in-memory network, simulation, contracts."""
