"""Twisted protocols: sessions between nodes."""
