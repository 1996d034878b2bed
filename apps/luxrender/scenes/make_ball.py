"""Makes room/ball.ply anew: a ball of triangles, with normals, so that it looks round."""

from __future__ import annotations

from math import cos, pi, sin
from pathlib import Path

AROUND, DOWN = 48, 24
RADIUS = 0.55
CENTRE = (-0.45, 0.1, 0.56)


def main() -> None:
    """Write the file."""
    normals = [
        (
            sin(pi * v / DOWN) * cos(2 * pi * u / AROUND),
            sin(pi * v / DOWN) * sin(2 * pi * u / AROUND),
            cos(pi * v / DOWN),
        )
        for v in range(DOWN + 1)
        for u in range(AROUND)
    ]
    faces = []
    for v in range(DOWN):
        for u in range(AROUND):
            a, b = v * AROUND + u, v * AROUND + (u + 1) % AROUND
            faces += [(a, a + AROUND, b)] * (v > 0) + [(b, a + AROUND, b + AROUND)] * (v < DOWN - 1)
    head = (
        "ply\nformat ascii 1.0\n"
        f"element vertex {len(normals)}\n"
        + "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
        + f"element face {len(faces)}\nproperty list uchar uint vertex_indices\nend_header\n"
    )
    points = (tuple(c + RADIUS * n for c, n in zip(CENTRE, normal, strict=True)) + normal for normal in normals)
    lines = [" ".join(f"{x:.5f}" for x in point) for point in points] + [f"3 {a} {b} {c}" for a, b, c in faces]
    (Path(__file__).parent / "room" / "ball.ply").write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
