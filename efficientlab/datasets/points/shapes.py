"""Eight categories of objects, each built of surfaces with random proportions: what `parts` draws points from.

x points ahead, y to the left, z up. The categories and many parts are ShapeNet-Part's (Yi et al., "A scalable
active framework for region annotation in 3D shape collections", SIGGRAPH Asia 2016); the shapes are made up.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from efficientlab.datasets.points.surfaces import Box, Ellipsoid, Frustum, Placed, Torus, rotation

Rng = np.random.Generator

_UPRIGHT_RING = rotation("x", math.pi / 2)  # z to −y: a ring or wheel that stands along x
_AHEAD = rotation("y", math.pi / 2)  # z to x: a tube that points ahead


def airplane(rng: Rng) -> list[Placed]:
    radius, wing, chord = rng.uniform(0.09, 0.13), rng.uniform(0.7, 1.0), rng.uniform(0.18, 0.3)
    sweep, height = rng.uniform(0.0, 0.5), rng.uniform(-0.06, 0.06)
    fin = rng.uniform(0.2, 0.3)
    made = [
        Placed("body", Ellipsoid(1.0, radius, radius), (0.0, 0.0, 0.0)),
        Placed("tail", Box(0.16, 0.02, fin), (-0.88, 0.0, fin / 2 + 0.03)),
        Placed("tail", Box(0.14, 2 * fin, 0.02), (-0.88, 0.0, rng.choice([0.03, fin]))),
    ]
    at_tail = rng.random() < 0.3
    count = int(rng.integers(1, 3))
    size = rng.uniform(0.04, 0.055)
    for side in (-1.0, 1.0):
        turn = rotation("z", side * sweep)
        half = Box(chord, wing, 0.025)
        made.append(Placed("wing", half, (0.1 - sweep * wing / 2, side * wing / 2, height), turn))
        for k in range(1 if at_tail else count):
            out = radius + size if at_tail else (0.35 + 0.3 * k) * wing
            ahead = -0.62 if at_tail else 0.16 - sweep * out
            up = 0.06 if at_tail else height - 1.4 * size
            engine = Frustum(0.8 * size, size, rng.uniform(0.16, 0.22))
            made.append(Placed("engine", engine, (ahead, side * out, up), _AHEAD))
    return made


def car(rng: Rng) -> list[Placed]:
    length, width, height = rng.uniform(1.6, 2.0), rng.uniform(0.7, 0.85), rng.uniform(0.28, 0.4)
    cabin, start = rng.uniform(0.7, 1.2), rng.uniform(-0.25, 0.1)
    roof = rng.uniform(0.25, 0.38)
    wheel = rng.uniform(0.15, 0.2)
    made = [
        Placed("body", Box(length, width, height), (0.0, 0.0, wheel + height / 2)),
        Placed("cabin", Box(cabin, 0.9 * width, roof), (start, 0.0, wheel + height + roof / 2)),
    ]
    for side in (-1.0, 1.0):
        for end in (-1.0, 1.0):
            where = (end * 0.31 * length, side * 0.5 * width, wheel)
            made.append(Placed("wheel", Frustum(wheel, wheel, 0.12), where, _UPRIGHT_RING))
            lamp = Frustum(0.055, 0.055, 0.04)
            where = (end * length / 2, side * 0.36 * width, wheel + 0.65 * height)
            made.append(Placed("light", lamp, where, _AHEAD))
        mirror = Box(0.05, 0.12, 0.09)
        where = (start + 0.42 * cabin, side * (0.45 * width + 0.07), wheel + height + 0.25 * roof)
        made.append(Placed("mirror", mirror, where))
    return made


def chair(rng: Rng) -> list[Placed]:
    seat, depth, thick = rng.uniform(0.5, 0.7), rng.uniform(0.5, 0.65), rng.uniform(0.05, 0.1)
    legs, back = rng.uniform(0.4, 0.6), rng.uniform(0.5, 0.8)
    lean = rotation("y", -rng.uniform(0.0, 0.25))
    foot = lean @ np.array([0.0, 0.0, back / 2])
    made = [
        Placed("seat", Box(depth, seat, thick), (0.0, 0.0, legs + thick / 2)),
        Placed(
            "back",
            Box(0.05, seat, back),
            (float(foot[0]) - depth / 2, 0.0, float(foot[2]) + legs + thick),
            lean,
        ),
    ]
    if rng.random() < 0.35:  # on one column, with a star of feet
        made.append(Placed("leg", Frustum(0.04, 0.04, 0.9 * legs), (0.0, 0.0, 0.55 * legs)))
        for k in range(5):
            turn = rotation("z", 2 * math.pi * k / 5)
            arm = turn @ np.array([0.17, 0.0, 0.04])
            made.append(Placed("leg", Box(0.34, 0.05, 0.04), (float(arm[0]), float(arm[1]), 0.04), turn))
    else:
        post = Frustum(0.025, 0.03, legs)
        made += [
            Placed("leg", post, (x * 0.43 * depth, y * 0.43 * seat, legs / 2))
            for x in (-1, 1)
            for y in (-1, 1)
        ]
    if rng.random() < 0.6:
        rise = rng.uniform(0.16, 0.26)
        for side in (-1, 1):
            level = legs + thick + rise
            made.append(Placed("armrest", Box(0.75 * depth, 0.05, 0.04), (0.0, side * seat / 2, level)))
            post = Frustum(0.02, 0.02, rise)
            made.append(Placed("armrest", post, (0.3 * depth, side * seat / 2, level - rise / 2)))
    return made


def guitar(rng: Rng) -> list[Placed]:
    lower, thick = rng.uniform(0.34, 0.42), rng.uniform(0.1, 0.2)
    upper = lower * rng.uniform(0.7, 0.85)
    neck, width = rng.uniform(0.75, 0.95), rng.uniform(0.08, 0.11)
    top = lower + upper  # where the neck begins
    bout = rotation("y", math.pi / 2)  # the front looks ahead
    front = thick / 2
    made = [
        Placed("body", Frustum(lower, lower, thick), (0.0, 0.0, 0.0), bout),
        Placed("body", Frustum(upper, upper, thick), (0.0, 0.0, 0.85 * lower), bout),
        Placed("bridge", Box(0.03, 0.24, 0.05), (front + 0.01, 0.0, -0.35 * lower)),
        Placed("neck", Box(0.06, width, neck), (front, 0.0, top + neck / 2)),
        Placed("head", Box(0.05, 1.5 * width, 0.26), (front - 0.02, 0.0, top + neck + 0.13)),
    ]
    for side in (-1, 1):
        for k in range(3):
            where = (front - 0.02, side * (0.75 * width + 0.025), top + neck + 0.05 + 0.08 * k)
            made.append(Placed("peg", Ellipsoid(0.02, 0.03, 0.02), where))
    return made


def lamp(rng: Rng) -> list[Placed]:
    wide, high = rng.uniform(0.28, 0.42), rng.uniform(0.3, 0.42)
    narrow = wide * rng.uniform(0.45, 0.9)
    pole = rng.uniform(0.7, 1.3)
    bulb = rng.uniform(0.06, 0.085)
    shade = Frustum(wide, narrow, high, closed=False)
    foot = Frustum(0.26, 0.22, 0.05)
    if rng.random() < 0.4:  # hangs from the ceiling: the foot is above
        return [
            Placed("base", Frustum(0.14, 0.14, 0.06), (0.0, 0.0, pole + high)),
            Placed("pole", Frustum(0.015, 0.015, pole), (0.0, 0.0, high + pole / 2)),
            Placed("shade", shade, (0.0, 0.0, high / 2)),
            Placed("bulb", Ellipsoid(bulb, bulb, 1.3 * bulb), (0.0, 0.0, 0.55 * high)),
        ]
    reach = rng.uniform(0.3, 0.55) if rng.random() < 0.4 else 0.0  # some lean out on an arm
    made = [
        Placed("base", foot, (0.0, 0.0, 0.025)),
        Placed("pole", Frustum(0.025, 0.025, pole), (0.0, 0.0, pole / 2)),
        Placed("shade", shade, (reach, 0.0, pole + 0.1 * high)),
        Placed("bulb", Ellipsoid(bulb, bulb, 1.3 * bulb), (reach, 0.0, pole + 0.1 * high)),
    ]
    if reach:
        made.append(Placed("pole", Frustum(0.02, 0.02, reach), (reach / 2, 0.0, pole + 0.28 * high), _AHEAD))
    return made


def laptop(rng: Rng) -> list[Placed]:
    width, depth = rng.uniform(0.9, 1.2), rng.uniform(0.6, 0.8)
    lid = rotation("y", -rng.uniform(0.1, 0.7))  # from the vertical, backwards
    middle = lid @ np.array([0.0, 0.0, depth / 2])
    hinge = -depth / 2
    pad = rng.uniform(0.1, 0.14)
    where = (float(middle[0]) + hinge, 0.0, float(middle[2]) + 0.02)
    made = [
        Placed("keyboard", Box(depth, width, 0.04), (0.0, 0.0, 0.0)),
        Placed("screen", Box(0.025, width, depth), where, lid),
        Placed("touchpad", Box(pad, 0.24, 0.008), (0.33 * depth, rng.uniform(-0.08, 0.08), 0.024)),
    ]
    if rng.random() < 0.5:  # two short ones, or one along the whole edge
        for side in (-1, 1):
            part = Frustum(0.032, 0.032, 0.16)
            made.append(Placed("hinge", part, (hinge, side * 0.36 * width, 0.03), _UPRIGHT_RING))
    else:
        made.append(Placed("hinge", Frustum(0.028, 0.028, 0.8 * width), (hinge, 0.0, 0.03), _UPRIGHT_RING))
    return made


def mug(rng: Rng) -> list[Placed]:
    radius, height = rng.uniform(0.36, 0.46), rng.uniform(0.7, 1.0)
    foot = radius * rng.uniform(0.75, 1.0)
    ring, tube = height * rng.uniform(0.24, 0.32), rng.uniform(0.035, 0.055)
    standing = rotation("x", math.pi / 2) @ rotation("z", -math.pi / 2)
    floor = Frustum(0.92 * foot, 0.0, 0.0, closed=False)
    return [
        Placed("wall", Frustum(foot, radius, height, closed=False), (0.0, 0.0, 0.0)),
        Placed("wall", Frustum(0.92 * foot, 0.92 * radius, height, closed=False), (0.0, 0.0, 0.0)),
        Placed("floor", floor, (0.0, 0.0, 0.06 - height / 2)),
        Placed("rim", Torus(0.96 * radius, 0.05 * radius), (0.0, 0.0, height / 2)),
        Placed("handle", Torus(ring, tube, math.pi), (0.97 * (radius + foot) / 2, 0.0, 0.0), standing),
    ]


def rocket(rng: Rng) -> list[Placed]:
    radius, length = rng.uniform(0.14, 0.22), rng.uniform(1.0, 1.5)
    tip, span = rng.uniform(0.3, 0.5), rng.uniform(0.16, 0.3)
    count = int(rng.integers(3, 5))
    made = [
        Placed("body", Frustum(radius, radius, length), (0.0, 0.0, length / 2)),
        Placed("nose", Frustum(radius, 0.01, tip), (0.0, 0.0, length + tip / 2)),
        Placed("nozzle", Frustum(0.75 * radius, 0.4 * radius, 0.14), (0.0, 0.0, -0.07)),
        Placed("window", Torus(0.3 * radius, 0.025), (1.02 * radius, 0.0, 0.7 * length), _AHEAD),
    ]
    for k in range(count):
        turn = rotation("z", 2 * math.pi * (k + 0.5) / count)
        out = turn @ np.array([radius + span / 2, 0.0, 0.0])
        made.append(Placed("fin", Box(span, 0.02, 0.3), (float(out[0]), float(out[1]), 0.15), turn))
    return made


SHAPES: dict[str, Callable[[Rng], list[Placed]]] = {
    "airplane": airplane,
    "car": car,
    "chair": chair,
    "guitar": guitar,
    "lamp": lamp,
    "laptop": laptop,
    "mug": mug,
    "rocket": rocket,
}
PARTS: dict[str, tuple[str, ...]] = {
    "airplane": ("body", "wing", "tail", "engine"),
    "car": ("body", "cabin", "wheel", "mirror", "light"),
    "chair": ("seat", "back", "leg", "armrest"),
    "guitar": ("body", "neck", "head", "peg", "bridge"),
    "lamp": ("base", "pole", "shade", "bulb"),
    "laptop": ("keyboard", "screen", "hinge", "touchpad"),
    "mug": ("wall", "handle", "floor", "rim"),
    "rocket": ("body", "nose", "fin", "nozzle", "window"),
}
