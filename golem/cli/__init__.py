"""The golem command."""
