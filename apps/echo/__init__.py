"""The smallest template: for the manual, and to see how fast a market is when the work itself costs nothing."""

from apps.echo.template import Echo

template = Echo()

__all__ = ["template"]
