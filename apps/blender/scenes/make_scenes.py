"""Makes the two scenes beside this file: `python apps/blender/scenes/make_scenes.py`. Needs bpy, run by hand.

lake: outdoors, sun and sky, rippled water, hundreds of instanced trees. marbles: indoors, glass and metal under area
lamps, deep bokeh. In both the camera circles, once in 48 frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector, noise

FRAMES = 48
SHORE = 0.3  # metres above the water, from where on trees grow
DENSITY = 0.55  # the chance that a tree grows where one could
UPLAND = 1.7  # where pines take over
YARD = 1.5  # metres round the house
Colour = tuple[float, float, float]
Place = tuple[float, float, float]


# What both scenes need


def begin(samples: int, look: str, exposure: float) -> bpy.types.Scene:
    """An empty Cycles scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = samples
    scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 5
    scene.render.resolution_x, scene.render.resolution_y = 480, 270
    scene.frame_end = FRAMES
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = look
    scene.view_settings.exposure = exposure
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    return scene


def save(name: str) -> None:
    """Write the scene, compressed, beside this file."""
    for kind in (bpy.data.meshes, bpy.data.materials):
        for unused in [data for data in kind if not data.users]:
            kind.remove(unused)
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(__file__).with_name(name)), compress=True, copy=True)


def material(name: str, **inputs: object) -> bpy.types.Material:
    """A Principled material; `inputs` are its sockets, with underscores for blanks."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    for socket, value in inputs.items():
        rgba = (*value, 1.0) if isinstance(value, tuple) else value
        shader.inputs[socket.replace("_", " ")].default_value = rgba
    return made


def node(tree: bpy.types.NodeTree, kind: str, **inputs: object) -> bpy.types.Node:
    """A node; `inputs` are sockets' values or other sockets to link to."""
    made = tree.nodes.new(kind)
    for name, value in inputs.items():
        socket = made.inputs[name.replace("_", " ")]
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, socket)
        else:
            socket.default_value = value
    return made


def ramp(tree: bpy.types.NodeTree, by: bpy.types.NodeSocket, stops: Iterable[tuple[float, Colour]]) -> object:
    """A colour ramp's output."""
    made = node(tree, "ShaderNodeValToRGB", Fac=by)
    elements = made.color_ramp.elements
    for number, (place, colour) in enumerate(stops):
        element = elements[number] if number < len(elements) else elements.new(place)
        element.position, element.color = place, (*colour, 1.0)
    return made.outputs["Color"]


def paint(target: bpy.types.Material, socket: str, source: object) -> None:
    """Link a socket to the material's shader."""
    target.node_tree.links.new(source, target.node_tree.nodes["Principled BSDF"].inputs[socket])


def bump(target: bpy.types.Material, scale: float, strength: float, distance: float) -> None:
    """Make a surface uneven by noise."""
    tree = target.node_tree
    waves = node(tree, "ShaderNodeTexNoise", Scale=scale, Detail=3.0, Vector=position(tree))
    uneven = node(tree, "ShaderNodeBump", Height=waves.outputs["Fac"], Strength=strength, Distance=distance)
    paint(target, "Normal", uneven.outputs["Normal"])


def position(tree: bpy.types.NodeTree) -> object:
    """The socket with the place in the world."""
    return tree.nodes.new("ShaderNodeNewGeometry").outputs["Position"]


def place(mesh: bpy.types.Mesh, at: Iterable[float], size: float = 1.0, turn: Colour = (0, 0, 0)) -> bpy.types.Object:
    """Put an instance of a mesh into the scene."""
    made = bpy.data.objects.new(mesh.name, mesh)
    made.location, made.rotation_euler = tuple(at), turn
    made.scale = (size, size, size)
    bpy.context.collection.objects.link(made)
    return made


def shape(name: str, look: bpy.types.Material, *, smooth: bool = True, **how: object) -> bpy.types.Mesh:
    """The mesh that the operator `primitive_<name>_add` makes."""
    getattr(bpy.ops.mesh, f"primitive_{name}_add")(**how)
    made = bpy.context.object
    mesh = made.data
    bpy.data.objects.remove(made)
    mesh.shade_smooth() if smooth else mesh.shade_flat()
    mesh.materials.append(look)
    return mesh


def circle_round(target: Colour, distance: float, height: float, lens: float, start: float) -> bpy.types.Camera:
    """A camera that looks at `target` and goes round it once in FRAMES frames."""
    hub = bpy.data.objects.new("Hub", None)
    hub.location = target
    camera = bpy.data.cameras.new("Camera")
    camera.lens = lens
    eye = bpy.data.objects.new("Camera", camera)
    eye.parent = hub
    eye.location = (0.0, -distance, height)
    eye.rotation_euler = (-eye.location).to_track_quat("-Z", "Y").to_euler()
    for made in (hub, eye):
        bpy.context.collection.objects.link(made)
    for frame, angle in ((1, start), (FRAMES + 1, start + 2 * math.pi)):
        hub.rotation_euler.z = angle
        hub.keyframe_insert("rotation_euler", index=2, frame=frame)
    for curve in hub.animation_data.action.fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"
    bpy.context.scene.camera = eye
    return camera


# Lake


def ground_height(x: float, y: float) -> float:
    """Hills around a basin, in metres; the water stands at 0."""
    far = math.hypot(x, y)
    hills: float = noise.fractal(Vector((x * 0.045, y * 0.045, 3.7)), 1.0, 2.0, 5)
    return (
        5.0 * hills * min(1.0, far / 26) + 0.17 * max(0.0, far - 13) - 2.2 + 2.2 * math.exp(-((far / 5.5) ** 2)) * 1.45
    )


def lake() -> None:
    """Autumn at a lake with an islet."""
    scene = begin(16, "AgX - Medium High Contrast", 0.1)
    sky = node(scene.world.node_tree, "ShaderNodeTexSky")
    sky.sky_type = "NISHITA"
    sky.sun_elevation, sky.sun_rotation = math.radians(14), math.radians(215)
    sky.sun_size, sky.sun_intensity = math.radians(2), 0.6
    background = scene.world.node_tree.nodes["Background"]
    background.inputs["Strength"].default_value = 0.28
    scene.world.node_tree.links.new(sky.outputs["Color"], background.inputs["Color"])
    place(_ground(), (0, 0, 0))
    water = material("Water", Base_Color=(0.012, 0.045, 0.06), Roughness=0.03, IOR=1.33)
    bump(water, 1.6, 0.25, 0.12)
    place(shape("plane", water, size=240), (0, 0, 0))
    scene.cycles.max_bounces, scene.cycles.diffuse_bounces = 3, 2
    _forest()
    _cabin()
    circle_round((0, 0, 1.4), 25, 6.2, 30, math.radians(20))
    save("lake.blend")


def _ground() -> bpy.types.Mesh:
    soil = material("Soil", Roughness=0.9)
    tree = soil.node_tree
    height = node(tree, "ShaderNodeSeparateXYZ", Vector=position(tree)).outputs["Z"]
    speckle = node(tree, "ShaderNodeTexNoise", Scale=0.7, Detail=4.0, Vector=position(tree)).outputs["Fac"]
    rough = node(tree, "ShaderNodeMath").inputs
    total = rough[0].node
    tree.links.new(height, rough[0])
    tree.links.new(speckle, rough[1])
    stops = (
        (0.0, (0.30, 0.22, 0.12)),
        (0.5, (0.33, 0.25, 0.13)),
        (0.62, (0.20, 0.19, 0.05)),
        (0.9, (0.10, 0.13, 0.035)),
    )
    scaled = node(tree, "ShaderNodeMapRange", Value=total.outputs[0], From_Min=-1.0, From_Max=2.0)
    paint(soil, "Base Color", ramp(tree, scaled.outputs["Result"], stops))
    mesh = shape("grid", soil, x_subdivisions=96, y_subdivisions=96, size=150)
    for vertex in mesh.vertices:
        vertex.co.z = ground_height(vertex.co.x, vertex.co.y)
    return mesh


def _leaves(name: str, colours: Iterable[tuple[float, Colour]]) -> bpy.types.Material:
    made = material(name, Roughness=0.75)
    tree = made.node_tree
    paint(made, "Base Color", ramp(tree, tree.nodes.new("ShaderNodeObjectInfo").outputs["Random"], colours))
    return made


def _pine(leaves: bpy.types.Material, bark: bpy.types.Material) -> list[bpy.types.Mesh]:
    cones = [
        shape("cone", leaves, smooth=False, vertices=9, radius1=0.95 - 0.2 * i, depth=1.35, location=(0, 0, 0))
        for i in range(4)
    ]
    return [_joined("Pine", [(cone, 1.2 + 0.62 * i) for i, cone in enumerate(cones)] + [(_trunk(bark), 0.35)])]


def _broadleaf(leaves: bpy.types.Material, bark: bpy.types.Material) -> list[bpy.types.Mesh]:
    crowns = []
    for seed in (1.0, 5.0, 9.0):
        crown = shape("ico_sphere", leaves, smooth=False, subdivisions=3, radius=1.0)
        for vertex in crown.vertices:
            vertex.co *= 1.0 + 0.38 * noise.noise(vertex.co * 1.9 + Vector((seed, seed, 0)))
            vertex.co.z *= 1.12
        crowns.append(_joined("Broadleaf", [(crown, 1.75), (_trunk(bark), 0.4)]))
    return crowns


def _trunk(bark: bpy.types.Material) -> bpy.types.Mesh:
    return shape("cone", bark, vertices=7, radius1=0.13, radius2=0.08, depth=1.3)


def _joined(name: str, parts: list[tuple[bpy.types.Mesh, float]]) -> bpy.types.Mesh:
    """One mesh of several, each lifted."""
    pieces = [place(mesh, (0, 0, height)) for mesh, height in parts]
    bpy.context.view_layer.update()
    with bpy.context.temp_override(active_object=pieces[0], selected_editable_objects=pieces):
        bpy.ops.object.join()
    mesh = pieces[0].data
    mesh.transform(pieces[0].matrix_world)
    mesh.name = name
    bpy.data.objects.remove(pieces[0])
    return mesh


def _forest() -> None:
    chance = np.random.default_rng(11)
    bark = material("Bark", Base_Color=(0.09, 0.06, 0.04), Roughness=0.9)
    needles = _leaves("Needles", ((0.0, (0.016, 0.05, 0.022)), (1.0, (0.05, 0.095, 0.028))))
    autumn = (
        (0.0, (0.45, 0.05, 0.015)),
        (0.35, (0.62, 0.17, 0.02)),
        (0.7, (0.70, 0.36, 0.03)),
        (1.0, (0.16, 0.2, 0.03)),
    )
    pines, broadleaves = _pine(needles, bark), _broadleaf(_leaves("Leaves", autumn), bark)
    for number in range(1500):  # the sunflower's pattern: even, and without rows
        angle, far = number * math.pi * (3 - math.sqrt(5)), 1.6 * math.sqrt(number)
        x, y = far * math.cos(angle) + chance.normal(0, 0.4), far * math.sin(angle) + chance.normal(0, 0.4)
        height = ground_height(x, y)
        density = noise.noise(Vector((x * 0.08, y * 0.08, 1.0)))
        if height < SHORE or math.hypot(x - 0.6, y + 0.9) < YARD or chance.random() > DENSITY + density:
            continue
        kinds = pines if height + 2.5 * density + chance.normal(0, 0.6) > UPLAND else broadleaves
        kind = kinds[int(chance.integers(len(kinds)))]
        place(kind, (x, y, height - 0.1), chance.uniform(0.6, 1.15), (0, 0, chance.uniform(0, 6.28)))


def _cabin() -> None:
    plaster = material("Plaster", Base_Color=(0.62, 0.56, 0.46), Roughness=0.8)
    tiles = material("Tiles", Base_Color=(0.33, 0.055, 0.03), Roughness=0.6)
    pane = material("Pane", Emission_Color=(1.0, 0.55, 0.2), Emission_Strength=9.0)
    base = ground_height(0.6, -0.9)
    walls = place(shape("cube", plaster, smooth=False, size=1.0), (0.6, -0.9, base + 0.5))
    walls.scale = (1.5, 1.1, 1.2)
    roof = place(shape("cone", tiles, smooth=False, vertices=4, radius1=1.32, depth=0.85), (0.6, -0.9, base + 1.5))
    roof.rotation_euler.z, roof.scale.y = math.pi / 4, 0.95
    for x, y, wide, deep in (
        (0.25, -1.46, 0.3, 0.02),
        (0.95, -1.46, 0.3, 0.02),
        (1.36, -0.9, 0.02, 0.3),
        (-0.16, -0.9, 0.02, 0.3),
    ):
        place(shape("cube", pane, smooth=False, size=1.0), (x, y, base + 0.6)).scale = (wide, deep, 0.36)


# Marbles


def marbles() -> None:
    """Glass and metal on a table, at night."""
    scene = begin(24, "AgX - Medium High Contrast", 0.0)
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.012, 0.016, 0.03, 1.0)
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.cycles.sample_clamp_indirect = 1.5
    place(shape("plane", _wood(), size=40), (0, 0, 0))
    _heroes()
    _scatter()
    _lamps()
    camera = circle_round((0, 0, 0.85), 9.6, 1.7, 58, math.radians(-14))
    camera.dof.use_dof, camera.dof.focus_distance, camera.dof.aperture_fstop = True, 8.9, 0.4
    camera.dof.aperture_blades = 0
    save("marbles.blend")


def _wood() -> bpy.types.Material:
    wood = material("Wood", Roughness=0.22)
    tree = wood.node_tree
    stretched = node(tree, "ShaderNodeMapping", Vector=position(tree), Scale=(0.35, 2.6, 1.0))
    rings = node(tree, "ShaderNodeTexNoise", Vector=stretched.outputs["Vector"], Scale=2.2, Detail=7.0, Distortion=1.4)
    stops = ((0.3, (0.028, 0.012, 0.006)), (0.5, (0.105, 0.042, 0.018)), (0.72, (0.19, 0.085, 0.035)))
    paint(wood, "Base Color", ramp(tree, rings.outputs["Fac"], stops))
    return wood


def _glass(name: str, colour: Colour) -> bpy.types.Material:
    return material(name, Base_Color=colour, Roughness=0.0, IOR=1.5, Transmission_Weight=1.0)


def _metal(name: str, colour: Colour, roughness: float) -> bpy.types.Material:
    return material(name, Base_Color=colour, Metallic=1.0, Roughness=roughness)


def _heroes() -> None:
    ball = partial(shape, "uv_sphere", segments=64, ring_count=32, radius=1.0)
    place(ball(_glass("Clear", (0.97, 0.99, 1.0))), (0.0, -0.35, 0.8), 0.8)
    place(ball(_metal("Gold", (1.0, 0.62, 0.22), 0.12)), (-1.75, 0.35, 0.7), 0.7)
    ring = shape(
        "torus", _metal("Rose", (0.95, 0.42, 0.33), 0.25), major_radius=0.62, minor_radius=0.2, major_segments=72
    )
    place(ring, (1.62, 0.1, 0.78), 1.0, (math.radians(78), 0.0, math.radians(-28)))
    head = shape("monkey", material("Jade", Base_Color=(0.03, 0.33, 0.17), Roughness=0.18, Coat_Weight=1.0), size=1.5)
    figure = place(head, (0.35, 1.75, 0.72), 1.0, (math.radians(-18), 0.0, math.radians(-10)))
    figure.modifiers.new("Smooth", "SUBSURF").render_levels = 2


def _scatter() -> None:
    chance = np.random.default_rng(5)
    colours = (
        (0.9, 0.16, 0.1),
        (0.1, 0.42, 0.95),
        (0.97, 0.72, 0.12),
        (0.15, 0.8, 0.45),
        (0.75, 0.25, 0.85),
        (0.95, 0.95, 1.0),
    )
    looks = [_glass(f"Glass {n}", colour) for n, colour in enumerate(colours)]
    looks += [material(f"Enamel {n}", Base_Color=c, Roughness=0.1, Coat_Weight=1.0) for n, c in enumerate(colours[:4])]
    looks.append(_metal("Chrome", (0.9, 0.92, 0.95), 0.04))
    balls = [shape("uv_sphere", look, segments=40, ring_count=20, radius=1.0) for look in looks]
    taken = [(0.0, -0.35, 0.8), (-1.75, 0.35, 0.7), (1.62, 0.1, 0.85), (0.35, 1.75, 0.75)]
    for number in range(4, 150):
        angle, far = number * math.pi * (3 - math.sqrt(5)), 0.42 * math.sqrt(number)
        x, y, size = far * math.cos(angle), far * math.sin(angle), chance.uniform(0.1, 0.27)
        if all(math.hypot(x - a, y - b) > size + c + 0.03 for a, b, c in taken):
            taken.append((x, y, size))
            place(balls[int(chance.integers(len(balls)))], (x, y, size), size)


def _lamps() -> None:
    for at, size, power, colour in (
        ((-4.5, -3.5, 5.0), 3.5, 800, (1.0, 0.82, 0.62)),
        ((5.0, -1.0, 4.0), 3.0, 520, (0.55, 0.72, 1.0)),
        ((0.5, 5.5, 5.5), 3.5, 560, (1.0, 0.9, 0.8)),
    ):
        lamp = bpy.data.lights.new("Lamp", "AREA")
        lamp.size, lamp.energy, lamp.color = size, power, colour
        made = bpy.data.objects.new("Lamp", lamp)
        made.location = at
        made.rotation_euler = (-made.location).to_track_quat("-Z", "Y").to_euler()
        bpy.context.collection.objects.link(made)
    glow = ((1.0, 0.5, 0.14), (1.0, 0.32, 0.1), (1.0, 0.75, 0.35), (0.35, 0.55, 1.0), (1.0, 0.2, 0.3))
    bulbs = [
        shape(
            "uv_sphere",
            material(f"Bulb {n}", Emission_Color=c, Emission_Strength=3.0),
            segments=16,
            ring_count=8,
            radius=0.2,
        )
        for n, c in enumerate(glow)
    ]
    chance = np.random.default_rng(3)
    for number in range(56):
        angle, far = 2 * math.pi * number / 56 + chance.normal(0, 0.04), chance.uniform(9, 15)
        place(
            bulbs[int(chance.integers(len(bulbs)))],
            (far * math.cos(angle), far * math.sin(angle), chance.uniform(0.5, 3.6)),
        )


if __name__ == "__main__":
    lake()
    marbles()
