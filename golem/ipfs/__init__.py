"""Content-addressed storage that speaks IPFS."""
