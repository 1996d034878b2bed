"""Renders the frames of a Blender scene with Cycles, in tiles; results are verified by rendering small crops anew."""

from apps.blender.template import Blender

template = Blender()

__all__ = ["template"]
