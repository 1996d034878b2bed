"""What runs inside the sandbox. Standard library only; imports nothing of golem."""
