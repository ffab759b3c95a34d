"""Pinhole cameras on a rig, and what is done to their pictures before a network reads them.

A camera looks along its z axis, with x to the right and y down. Pixel (u, v) is column u of row v, and its centre
has those coordinates: a picture covers −½ ≤ u < W − ½. A point p in the rig's frame is seen at

    d · (u, v, 1) = K (R⁻¹ (p − t))        and then at  (u', v', 1) = A (u, v, 1),

with the intrinsics K, the rotation R and place t of the camera on the rig, and A, the augmentation: a picture is
scaled, turned, flipped and cropped. A acts on pixels, so it has to be undone before depth is multiplied in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from efficientlab.datasets.streets.solids import Array


@dataclass(frozen=True)
class Cameras:
    """M cameras with pictures of one size.

    Attributes:
        intrinsics: K, (M, 3, 3), in pixels.
        to_rig: (M, 4, 4), from a camera's frame to the rig's: R and t.
        augment: A, (M, 3, 3), from pixels as the camera took them to pixels as they are read.
        size: (H, W) of the pictures that are read.
    """

    intrinsics: Array
    to_rig: Array
    augment: Array
    size: tuple[int, int]

    def __post_init__(self) -> None:
        count = len(self.intrinsics)
        for name, value, n in (
            ("intrinsics", self.intrinsics, 3),
            ("to_rig", self.to_rig, 4),
            ("augment", self.augment, 3),
        ):
            if value.shape != (count, n, n):
                raise ValueError(f"{name} must be ({count}, {n}, {n}) for {count} cameras, got {value.shape}")
            if not np.isfinite(value).all() or (np.abs(np.linalg.det(value)) < 1e-9).any():
                raise ValueError(f"{name} holds a matrix that cannot be inverted")

    def __len__(self) -> int:
        return len(self.intrinsics)

    def rays(self) -> tuple[Array, Array]:
        """Where each camera stands, (M, 3), and the directions of its pixels, (M, H, W, 3), in the rig's frame.

        A direction is one metre of depth long: along it, distance is depth.
        """
        height, width = self.size
        v, u = np.mgrid[:height, :width].astype(np.float64)
        pixels = np.stack([u, v, np.ones_like(u)], -1)  # (H, W, 3)
        back = self.to_rig[:, :3, :3] @ np.linalg.inv(self.augment @ self.intrinsics)  # (M, 3, 3)
        return self.to_rig[:, :3, 3], np.einsum("mij,hwj->mhwi", back, pixels)

    def project(self, points: Array) -> Array:
        """(M, P, 3): column, row and depth at which each camera sees points (P, 3) of the rig's frame.

        Column and row mean something only where the depth is positive.
        """
        from_rig = np.linalg.inv(self.to_rig)
        own = points @ from_rig[:, :3, :3].mT + from_rig[:, None, :3, 3]  # (M, P, 3)
        seen = own @ (self.augment @ self.intrinsics).mT
        depth = seen[..., 2:]
        return np.concatenate([seen[..., :2] / np.where(depth == 0, np.inf, depth), depth], -1)

    def augmented(self, augment: Array) -> Cameras:
        """The same cameras, their pictures augmented by (M, 3, 3) after what was done to them before."""
        return replace(self, augment=augment @ self.augment)


def mounted(x: float, y: float, z: float, yaw: float, down: float) -> Array:
    """(4, 4) to the rig's frame of a camera at x, y, z that looks to `yaw`, and below the horizon by `down`."""
    ahead = np.array([math.cos(yaw) * math.cos(down), math.sin(yaw) * math.cos(down), -math.sin(down)])
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(ahead, right), ahead], 1)
    matrix[:3, 3] = x, y, z
    return matrix


def pinhole(size: tuple[int, int], wide: float) -> Array:
    """K (3, 3) of pictures (H, W) that see `wide` radians from side to side, their axis in the middle."""
    height, width = size
    focal = width / 2 / math.tan(wide / 2)
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])


def rig(size: tuple[int, int] = (32, 96)) -> Cameras:
    """Four cameras: ahead, left, right, behind. They overlap, and no two are mirror images of each other."""
    degree = math.pi / 180
    mounts = (  # x, y, z, yaw, down, wide
        (1.6, 0.15, 1.55, 4, 5, 95),
        (0.6, 0.9, 1.65, 86, 6, 112),
        (0.2, -0.8, 1.5, -97, 4, 104),
        (-1.3, -0.3, 1.7, 176, 7, 116),
    )
    return Cameras(
        intrinsics=np.stack([pinhole(size, wide * degree) for *_, wide in mounts]),
        to_rig=np.stack([mounted(x, y, z, yaw * degree, down * degree) for x, y, z, yaw, down, _ in mounts]),
        augment=np.tile(np.eye(3), (len(mounts), 1, 1)),
        size=size,
    )


def draw_augment(cameras: Cameras, rng: np.random.Generator) -> Array:
    """(M, 3, 3): each picture scaled, moved, turned by some degrees, and flipped in half of the cases."""
    height, width = cameras.size
    found = []
    for _ in range(len(cameras)):
        scale, across, along, turn, flip = (float(u) for u in rng.random(5))
        angle, zoom = (turn - 0.5) * 0.2, 0.95 + 0.25 * scale
        middle = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]])
        turned = np.array(
            [
                [zoom * math.cos(angle), zoom * math.sin(angle), (across - 0.5) * 0.1 * width],
                [-zoom * math.sin(angle), zoom * math.cos(angle), (along - 0.5) * 0.1 * height],
                [0, 0, 1],
            ]
        )
        mirrored = np.diag([-1.0 if flip < 0.5 else 1.0, 1.0, 1.0])
        found.append(np.linalg.inv(middle) @ mirrored @ turned @ middle)
    return np.stack(found)
