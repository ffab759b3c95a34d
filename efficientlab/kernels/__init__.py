"""The series' ops: one file an op, with a fast CPU path, a Triton kernel, a gradient and its cost.

CUDA tensors go to Triton, CPU tensors to PyTorch; EFFICIENTLAB_KERNELS=torch or =triton overrides this.
Nothing is compiled on installation, and Triton is imported only when one of its kernels is launched.
"""

from .augment import Augmentation, diff_augment, draw_augmentation, neutral_augmentation
from .bev import BEVGrid, BEVIndex, bev_index, bev_pool
from .shift import temporal_shift, temporal_shift_step
from .shifted_conv import shifted_pointwise_conv
from .voxel import avg_voxelize, normalize_to_grid, trilinear_devoxelize

__all__ = [
    "Augmentation",
    "BEVGrid",
    "BEVIndex",
    "avg_voxelize",
    "bev_index",
    "bev_pool",
    "diff_augment",
    "draw_augmentation",
    "neutral_augmentation",
    "normalize_to_grid",
    "shifted_pointwise_conv",
    "temporal_shift",
    "temporal_shift_step",
    "trilinear_devoxelize",
]
