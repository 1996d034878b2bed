"""Sample, a template for golem: the value that nodes find by the entry point."""

from .template import Sample

template = Sample()

__all__ = ["template"]
