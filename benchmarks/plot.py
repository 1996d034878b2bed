"""Line plots as SVG, by hand: axes with ticks, one line per series, a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 380, 60, 30, 190, 45
COLOURS = ("#1b6ca8", "#c8553d", "#588b8b", "#f28f3b", "#6d597a", "#2d3142")

Series = Mapping[str, Sequence[tuple[float, float]]]


def write(path: Path, title: str, axes: tuple[str, str], series: Series, top: float) -> None:
    """Lines over a logarithmic horizontal axis, from 0 to `top`."""
    xs = sorted({x for line in series.values() for x, _ in line})
    low, high = log10(xs[0]), log10(xs[-1])

    def at(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - low) / (high - low or 1) * (WIDTH - LEFT - RIGHT)
        return LEFT + across, HEIGHT - BOTTOM - min(y, top) / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"',
        ' font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{LEFT}" y="18" font-size="14">{title}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{axes[0]}</text>',
        f'<text transform="translate(14 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{axes[1]}</text>',
    ]
    for x in xs:
        across, down = at(x, 0)
        parts.append(f'<text x="{across:.0f}" y="{down + 16:.0f}" text-anchor="middle">{x:g}</text>')
    for step in range(5):
        across, down = at(xs[0], top * step / 4)
        parts.append(f'<path d="M{across:.0f} {down:.0f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{across - 6:.0f}" y="{down + 4:.0f}" text-anchor="end">{top * step / 4:g}</text>')
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 10}" y="{TOP + 16 * (number + 1)}" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")
