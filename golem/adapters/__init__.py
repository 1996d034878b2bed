"""One module per I/O port, one SDK each."""
