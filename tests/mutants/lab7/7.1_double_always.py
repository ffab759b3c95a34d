"""double precision is written into the answer, and in single precision it fails: the ones have the type of the depth."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    """Where pixels of one camera lie in the rig's frame.

    Shapes: pixels (P, 2), u and v as the network reads them; depth (P,), metres; intrinsics K, rotation R and augment A
    (3, 3); place t (3,), metres; returns (P, 3).
    """
    ones = torch.ones(len(depth), dtype=torch.float64)
    seen = torch.column_stack([pixels, ones]) @ augment.inverse().T  # (P, 3), as the camera took them
    rays = seen @ intrinsics.inverse().T  # (P, 3), one metre of depth long
    return (depth[:, None] * rays) @ rotation.T + place
