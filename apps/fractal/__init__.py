"""Pictures of the Mandelbrot set, in WebAssembly: rendered alike, to the byte, by every machine."""

from apps.fractal.template import Fractal

template = Fractal()

__all__ = ["template"]
