"""Open3D renders a cloud to an array of pixels, in a process of its own: `python offscreen.py FOLDER`.

Where a driver is missing or broken, Open3D may end the whole process instead of raising an error. That process must not
be the student's kernel. This file is therefore run as a script, and imports nothing of the package.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NEIGHBOURS = 16
"""A point's normal is that of the plane through this many points around it."""
LIGHT = np.array([-0.45, 0.5, 0.75])
"""The direction to the light in the viewer's axes: behind the viewer, from the upper left."""
AMBIENT = 0.5
"""Brightness of what faces away from the light."""
RADIUS = (3.0, 9.0)
"""The least and the greatest radius of a disc, in pixels."""
CORNERS = 8


def render(seen: Array, colours: Array, frame: Array, width: int, height: int) -> NDArray[np.uint8]:
    """Pixels (height, width, 3) of a cloud on white ground: each point is a small disc that lies in the surface.

    A disc is as large as the gap to the nearest other point, within RADIUS (Pfister, Zwicker, van Baar and Gross,
    "Surfels: surface elements as rendering primitives", SIGGRAPH 2000). Its brightness follows Lambert's law,
    AMBIENT + (1 - AMBIENT) max(0, n · l), with the point's estimated normal n and the direction l to the light. The
    renderer's own lights and its tone mapping stay off, so that in full light a part has the colour it was given.

    Args:
        seen: points (P, 3) in the viewer's axes: to the right, up, and towards the viewer.
        colours: (P, 3) in 0 … 1.
        frame: left, right, bottom and top of the picture, in the unit of the points.
    """
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(seen))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(NEIGHBOURS))
    normals = np.asarray(cloud.normals)  # (P, 3)
    normals = np.where(normals[:, 2:] < 0, -normals, normals)  # of its two sides, the one that is seen
    light = LIGHT / np.linalg.norm(LIGHT)
    brightness = AMBIENT + (1 - AMBIENT) * (normals @ light).clip(0)  # (P,)

    left, right, _, _ = frame
    least, greatest = np.array(RADIUS) * (right - left) / width
    gap = np.asarray(cloud.compute_nearest_neighbor_distance())  # (P,)
    corners = discs(seen, normals, gap.clip(least, greatest))  # (P, CORNERS, 3)
    fan = np.array([[0, i, i + 1] for i in range(1, CORNERS - 1)])
    fan = np.concatenate([fan, fan[:, ::-1]])  # to be seen from both sides
    triangles = fan + CORNERS * np.arange(len(seen))[:, None, None]
    mesh = open3d.geometry.TriangleMesh(
        open3d.utility.Vector3dVector(corners.reshape(-1, 3)),
        open3d.utility.Vector3iVector(triangles.reshape(-1, 3)),
    )
    lit = (colours * brightness[:, None]).repeat(CORNERS, 0)  # (P · CORNERS, 3)
    mesh.vertex_colors = open3d.utility.Vector3dVector(lit)
    depth = (seen[:, 2].min(), seen[:, 2].max())
    return photograph(mesh, frame, depth, width, height)


def photograph(
    mesh: Any, frame: Array, depth: tuple[float, float], width: int, height: int
) -> NDArray[np.uint8]:
    """Pixels (height, width, 3) of a mesh in its vertices' colours, by parallel projection along the third axis."""
    from open3d.visualization import rendering

    renderer = rendering.OffscreenRenderer(width, height)
    scene = renderer.scene
    scene.set_background([1, 1, 1, 1])
    scene.show_skybox(False)
    scene.scene.enable_indirect_light(False)
    scene.scene.enable_sun_light(False)
    scene.view.set_post_processing(False)
    material = rendering.MaterialRecord()
    material.shader = "defaultUnlit"
    scene.add_geometry("cloud", mesh, material)

    left, right, bottom, top = frame
    across, up = (right - left) / 2, (top - bottom) / 2
    middle = np.array([left + across, bottom + up, sum(depth) / 2])
    away = np.linalg.norm([across, up, np.ptp(depth)])
    scene.camera.look_at(middle, middle + np.array([0, 0, away]), [0, 1, 0])
    parallel = rendering.Camera.Projection.Ortho
    scene.camera.set_projection(parallel, -across, across, -up, up, away / 10, 2 * away)
    return np.asarray(renderer.render_to_image())


def discs(centres: Array, normals: Array, radius: Array) -> Array:
    """Corners (P, CORNERS, 3) of discs, given their centres (P, 3), unit normals (P, 3) and radii (P,)."""
    aside = np.where(np.abs(normals[:, :1]) < 0.7, [[1.0, 0, 0]], [[0, 1.0, 0]])  # far from parallel
    first = np.cross(normals, aside)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normals, first)
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)[:, None]  # (CORNERS, 1)
    around = np.cos(angle) * first[:, None] + np.sin(angle) * second[:, None]  # (P, CORNERS, 3)
    return centres[:, None] + radius[:, None, None] * around


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with np.load(folder / "cloud.npz") as given:
        width, height = given["size"].tolist()
        picture = render(given["seen"], given["colours"], given["frame"], width, height)
    np.save(folder / "picture.npy", picture)
