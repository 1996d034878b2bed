"""Renders a LuxCore scene, its samples cut into slices and its picture into tiles; verified by rendering crops anew."""

from apps.luxrender.template import LuxRender

template = LuxRender()

__all__ = ["template"]
