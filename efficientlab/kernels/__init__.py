"""The series' ops: one file an op, with a fast CPU path, a Triton kernel, a gradient and its cost.

CUDA tensors go to Triton, CPU tensors to PyTorch; EFFICIENTLAB_KERNELS=torch or =triton overrides this.
Nothing is compiled on installation, and Triton is imported only when one of its kernels is launched.
"""

from efficientlab.kernels.augment import Augmentation, diff_augment, draw_augmentation, neutral_augmentation
from efficientlab.kernels.bev import BEVGrid, BEVIndex, bev_index, bev_pool
from efficientlab.kernels.points.farthest import farthest_point_sample
from efficientlab.kernels.points.group import group
from efficientlab.kernels.points.near import ball_query, knn
from efficientlab.kernels.shift import temporal_shift, temporal_shift_step
from efficientlab.kernels.shifted_conv import shifted_pointwise_conv
from efficientlab.kernels.sparse.conv import sparse_conv
from efficientlab.kernels.sparse.coords import (
    downsample,
    find_voxels,
    kernel_offsets,
    occupied_voxels,
    reached_voxels,
)
from efficientlab.kernels.sparse.map import KernelMap, kernel_map
from efficientlab.kernels.sparse.points import point_to_voxel, voxel_to_point
from efficientlab.kernels.sparse.tensor import SparseTensor, sparse_to_dense
from efficientlab.kernels.voxel import avg_voxelize, normalize_to_grid, trilinear_devoxelize

__all__ = [
    "Augmentation",
    "BEVGrid",
    "BEVIndex",
    "KernelMap",
    "SparseTensor",
    "avg_voxelize",
    "ball_query",
    "bev_index",
    "bev_pool",
    "diff_augment",
    "downsample",
    "draw_augmentation",
    "farthest_point_sample",
    "find_voxels",
    "group",
    "kernel_map",
    "kernel_offsets",
    "knn",
    "neutral_augmentation",
    "normalize_to_grid",
    "occupied_voxels",
    "point_to_voxel",
    "reached_voxels",
    "shifted_pointwise_conv",
    "sparse_conv",
    "sparse_to_dense",
    "temporal_shift",
    "temporal_shift_step",
    "trilinear_devoxelize",
    "voxel_to_point",
]
