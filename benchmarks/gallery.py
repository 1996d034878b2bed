"""Six small scenes of different kinds, and renders of them by honest providers and by cheats, kept in a folder.

`python benchmarks/gallery.py FOLDER SCENE` makes what is missing: FOLDER/SCENE/NAME.npy, each R G B A in scene light.
With CYCLES_CPU_NO_AVX2=1 in the environment it makes only what another kind of processor would deliver.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "apps" / "blender" / "job"))
    import bpy
    import studio

WIDTH, HEIGHT, SAMPLES = 160, 120, 64
SEEDS = tuple(0x1234567 * (n + 1) % 2**31 for n in range(6))  # of as many providers
FEWER = (60, 57, 48, 32, 16, 8, 4, 1)  # samples, of 64
FIRST = (62, 57)  # of the 64 samples of an honest render: the cleverest way to save
DENOISED = (8, 32)
OTHER_PROCESSOR = "CYCLES_CPU_NO_AVX2"


# What scenes are made of


def begin() -> bpy.types.Scene:
    """An empty scene with a camera that looks at the origin."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 4
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    light(0.02)
    eye = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    eye.location = (0.0, -7.0, 2.5)
    eye.rotation_euler = (-eye.location).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(eye)
    scene.camera = eye
    return scene


def light(strength: float, colour: tuple[float, float, float] = (0.6, 0.75, 1.0)) -> None:
    """Set the sky."""
    sky = bpy.context.scene.world.node_tree.nodes["Background"]
    sky.inputs["Color"].default_value, sky.inputs["Strength"].default_value = (*colour, 1.0), strength


def lamp(at: tuple[float, float, float], power: float, size: float) -> None:
    """An area light that looks at the origin."""
    data = bpy.data.lights.new("Lamp", "AREA")
    data.energy, data.size = power, size
    made = bpy.data.objects.new("Lamp", data)
    made.location = at
    made.rotation_euler = (-made.location).to_track_quat("-Z", "Y").to_euler()
    bpy.context.collection.objects.link(made)


def look(colour: tuple[float, float, float] = (0.7, 0.7, 0.7), **inputs: float) -> bpy.types.Material:
    """A Principled material."""
    made = bpy.data.materials.new("Look")
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    for name, value in inputs.items():
        shader.inputs[name.replace("_", " ")].default_value = value
    return made


def add(kind: str, material: bpy.types.Material, **how: object) -> bpy.types.Object:
    """A primitive."""
    getattr(bpy.ops.mesh, f"primitive_{kind}_add")(**how)
    made = bpy.context.object
    made.data.materials.append(material)
    if "sphere" in kind or kind == "torus":
        made.data.shade_smooth()
    return made


def patterned(kind: str, scale: float, socket: str = "Color") -> bpy.types.Material:
    """A material coloured by a texture node."""
    made = look(Roughness=0.6)
    tree = made.node_tree
    texture, where = tree.nodes.new(kind), tree.nodes.new("ShaderNodeNewGeometry")
    texture.inputs["Scale"].default_value = scale
    tree.links.new(where.outputs["Position"], texture.inputs["Vector"])
    tree.links.new(texture.outputs[socket], tree.nodes["Principled BSDF"].inputs["Base Color"])
    return made


# The scenes


def room() -> None:
    """Diffuse walls and boxes under one lamp."""
    scene = begin()
    scene.camera.location, scene.camera.rotation_euler = (0, -6.5, 1.5), (math.radians(90), 0, 0)
    for colour, where, turn in (
        ((0.7, 0.7, 0.7), (0, 0, 0), (0, 0, 0)),
        ((0.7, 0.7, 0.7), (0, 0, 3), (0, 0, 0)),
        ((0.7, 0.7, 0.7), (0, 1.5, 1.5), (math.pi / 2, 0, 0)),
        ((0.7, 0.1, 0.05), (-2, 0, 1.5), (0, math.pi / 2, 0)),
        ((0.1, 0.5, 0.08), (2, 0, 1.5), (0, math.pi / 2, 0)),
    ):
        add("plane", look(colour), size=4, location=where, rotation=turn)
    add("cube", look(), size=1, location=(-0.8, 0.5, 0.5), rotation=(0, 0, 0.4)).scale.z = 2.4
    add("cube", look((0.7, 0.6, 0.3)), size=1, location=(0.8, -0.5, 0.5), rotation=(0, 0, -0.3))
    add("plane", look(Emission_Strength=9.0), size=1.1, location=(0, 0, 2.99))


def glass() -> None:
    """Glass and gold with caustics, on a table."""
    begin()
    light(0.3)
    lamp((3, -2, 4), 500, 0.6)
    add("plane", look((0.35, 0.2, 0.12), Roughness=0.3), size=14, location=(0, 0, -0.8))
    clear = look((0.95, 0.98, 1.0), Roughness=0.0, IOR=1.5, Transmission_Weight=1.0)
    add("uv_sphere", clear, radius=0.9, location=(-0.9, 0, 0.1), segments=48, ring_count=24)
    add("torus", clear, location=(1.2, -0.6, -0.5), major_radius=0.7, minor_radius=0.25)
    add("uv_sphere", look((1.0, 0.7, 0.3), Metallic=1.0, Roughness=0.08), radius=0.8, location=(0.8, 1.4, 0))


def mist() -> None:
    """A ball of fur in a cloud: volume and hair."""
    begin()
    light(0.5)
    lamp((2, -3, 4), 400, 1.0)
    add("plane", look((0.3, 0.35, 0.3)), size=14, location=(0, 0, -1.2))
    ball = add("uv_sphere", look((0.5, 0.3, 0.12), Roughness=0.5), radius=0.8, location=(0, -0.5, -0.2))
    ball.modifiers.new("Fur", "PARTICLE_SYSTEM")
    fur = ball.particle_systems[0].settings
    fur.type, fur.count, fur.hair_length, fur.use_advanced_hair = "HAIR", 4000, 0.35, True
    fur.brownian_factor = 0.03
    cloud = bpy.data.materials.new("Cloud")
    cloud.use_nodes = True
    tree = cloud.node_tree
    tree.nodes.remove(tree.nodes["Principled BSDF"])
    volume, wisps = tree.nodes.new("ShaderNodeVolumePrincipled"), tree.nodes.new("ShaderNodeTexNoise")
    wisps.inputs["Scale"].default_value = 1.7
    tree.links.new(wisps.outputs["Fac"], volume.inputs["Density"])
    tree.links.new(volume.outputs["Volume"], tree.nodes["Material Output"].inputs["Volume"])
    add("cube", cloud, size=3.4, location=(0, 1.2, 0.6))


def cloth() -> None:
    """High frequencies: checks and noise far below a pixel, up to a bright horizon."""
    begin()
    light(1.0)
    lamp((-4, -4, 5), 300, 3.0)
    add("plane", patterned("ShaderNodeTexChecker", 9.0), size=40, location=(0, 14, -0.8))
    add("uv_sphere", patterned("ShaderNodeTexNoise", 40.0), radius=0.9, location=(-1.1, 0, 0.1))
    add("cube", patterned("ShaderNodeTexVoronoi", 25.0), size=1.4, location=(1.1, 0.3, -0.1), rotation=(0, 0, 0.6))


def lanterns() -> None:
    """Night: a hundred little lights on a wet floor, and black between them."""
    begin()
    light(0.0)
    add("plane", look((0.05, 0.05, 0.06), Roughness=0.25), size=30, location=(0, 8, -0.8))
    glows = [look((0, 0, 0), Emission_Strength=30.0) for _ in range(4)]
    for glow, colour in zip(glows, ((1, 0.5, 0.1), (1, 0.2, 0.1), (0.3, 0.5, 1), (1, 0.8, 0.4)), strict=True):
        glow.node_tree.nodes["Principled BSDF"].inputs["Emission Color"].default_value = (*colour, 1.0)
    for n in range(100):
        turn, far = n * 2.39996, 0.33 * math.sqrt(n)
        where = (far * math.cos(turn), far * math.sin(turn) + 0.5, -0.6 + 0.25 * (n % 7))
        add("ico_sphere", glows[n % 4], radius=0.05, location=where, subdivisions=2)


def rush() -> None:
    """Balls that fly, spin and fall out of focus under a bright sky."""
    scene = begin()
    light(0.9)
    scene.render.use_motion_blur, scene.render.motion_blur_shutter = True, 0.8
    lens = scene.camera.data
    lens.dof.use_dof, lens.dof.focus_distance, lens.dof.aperture_fstop = True, 7.0, 0.15
    add("plane", patterned("ShaderNodeTexChecker", 0.7), size=30, location=(0, 6, -1))
    for n in range(14):
        x, y = -2.6 + 0.4 * n, 2.5 * math.sin(2.0 * n)
        ball = add("uv_sphere", patterned("ShaderNodeTexVoronoi", 6.0), radius=0.35, location=(x, y, 0.2))
        for frame, shift in ((0, 0.0), (3, 1.5)):
            ball.location = (x + shift, y, 0.2 + 0.4 * shift * math.cos(n))
            ball.rotation_euler = (0, shift, 0)
            ball.keyframe_insert("location", frame=frame)
            ball.keyframe_insert("rotation_euler", frame=frame)


SCENES: dict[str, Callable[[], None]] = {
    "room": room,
    "glass": glass,
    "mist": mist,
    "cloth": cloth,
    "lanterns": lanterns,
    "rush": rush,
}


# Their renders


def _shoot(scene: bpy.types.Scene, room: str, **changes: object) -> np.ndarray:
    size = changes.get("size", (WIDTH, HEIGHT))
    view = {"scene": "", "frame": 1, "size": size, "samples": SAMPLES, "seed": SEEDS[0], "cores": 1, **changes}
    view |= {"device": "cpu", "layers": False, "denoise": False, "tile": (0, 0, *size)}
    return studio.shoot(scene, view, view["tile"], room).pixels


def _other_processor(scene: bpy.types.Scene, room: str) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    for n, seed in enumerate(SEEDS):
        yield f"processor{n}", lambda seed=seed: _shoot(scene, room, seed=seed)


def _renders(scene: bpy.types.Scene, room: str) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    for n, seed in enumerate(SEEDS):
        yield f"seed{n}", lambda seed=seed: _shoot(scene, room, seed=seed)
        yield f"glance{n}", lambda seed=seed: _shoot(scene, room, seed=seed ^ 0x2545F491, samples=SAMPLES // 4)
    for samples in FEWER:
        yield f"samples{samples}", lambda samples=samples: _shoot(scene, room, samples=samples)
    for samples in FIRST:
        yield f"first{samples}", lambda samples=samples: _first(scene, room, samples)
    for samples in DENOISED:
        yield f"denoised{samples}", lambda samples=samples: _denoised(scene, room, samples)
    yield "half", lambda: _shoot(scene, room, size=(WIDTH // 2, HEIGHT // 2))
    yield "frame2", lambda: _shoot(scene, room, frame=2)


def _first(scene: bpy.types.Scene, room: str, samples: int) -> np.ndarray:
    cycles = scene.cycles
    cycles.use_sample_subset, cycles.sample_offset, cycles.sample_subset_length = True, 0, samples
    try:
        return _shoot(scene, room)
    finally:
        cycles.use_sample_subset = False


def _denoised(scene: bpy.types.Scene, room: str, samples: int) -> np.ndarray:
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    bpy.context.view_layer.cycles.use_denoising = True
    try:
        return _shoot(scene, room, samples=samples)
    finally:
        scene.cycles.use_denoising = False


def _drift(camera: bpy.types.Object) -> None:
    """Have no two frames alike."""
    camera.keyframe_insert("location", frame=1)
    camera.location.x += 0.2
    camera.keyframe_insert("location", frame=2)


def make(folder: Path, name: str) -> None:
    """One scene and its renders, as far as they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    blend = folder / "scene"
    if not blend.exists():
        SCENES[name]()
        _drift(bpy.context.scene.camera)
        bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True, compress=True)
    scene = studio.open_scene(str(folder), "")
    renders = _other_processor if os.environ.get(OTHER_PROCESSOR) else _renders
    for render, shoot in renders(scene, str(folder)):
        path = folder / f"{render}.npy"
        if not path.exists():
            np.save(path, shoot())
    (folder / ("other-processor.done" if renders is _other_processor else "done")).touch()


if __name__ == "__main__":
    make(Path(sys.argv[1]) / sys.argv[2], sys.argv[2])
