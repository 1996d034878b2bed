"""Scripts that print figures. Nothing here asserts."""
