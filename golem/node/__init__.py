"""A running node: engine, driver, computer, and the composition root."""
