"""Where the pixels of a camera lie in space, if their depth is known."""

from __future__ import annotations

import torch
from torch import Tensor


def feature_pixels(height: int, width: int, stride: int) -> Tensor:
    """(H, W, 3): u, v, 1 of the centres of the cells of a feature map, in pixels of the picture that it was made of.

    A cell averages over `stride` pixels along each axis, so its centre is s · j + (s − 1) / 2.
    """
    u, v = (stride * torch.arange(n, dtype=torch.float32) + (stride - 1) / 2 for n in (width, height))
    return torch.stack([*torch.meshgrid(u, v, indexing="xy"), torch.ones(height, width)], -1)


def rays(pixels: Tensor, intrinsics: Tensor, to_rig: Tensor, augment: Tensor) -> Tensor:
    """The direction of each pixel in the rig's frame, one metre of depth long: R K⁻¹ A⁻¹ (u, v, 1).

    Args:
        pixels: (H, W, 3), u, v, 1 as the network reads them, after the augmentation.
        intrinsics, augment: K and A, (N, M, 3, 3).
        to_rig: (N, M, 4, 4).

    Returns:
        (N, M, H, W, 3).

    Raises:
        ValueError: a matrix that cannot be inverted.
    """
    try:
        # A first: it moved pixels, and only pixels as the camera took them lie on the camera's rays.
        back = to_rig[..., :3, :3] @ torch.linalg.inv(augment @ intrinsics)
    except torch.linalg.LinAlgError as error:
        raise ValueError("intrinsics or augment holds a matrix that cannot be inverted") from error
    return torch.einsum("nmij,hwj->nmhwi", back, pixels)


def lifted_points(rays: Tensor, to_rig: Tensor, depths: Tensor) -> Tensor:
    """Where each pixel lies at each of D depths: (N, M, D, H, W, 3) in the rig's frame, in metres.

    Args:
        rays: (N, M, H, W, 3), as from `rays`.
        to_rig: (N, M, 4, 4), which says where the cameras stand.
        depths: (D,), metres along the cameras' axes.
    """
    place = to_rig[..., None, None, None, :3, 3]  # (N, M, 1, 1, 1, 3)
    return place + depths[:, None, None, None] * rays[:, :, None]
