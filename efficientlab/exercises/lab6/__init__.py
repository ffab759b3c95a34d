"""Lab 6, "Sparse voxels, whole streets": its exercises. The checks behind them have a file a topic."""

from __future__ import annotations

from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab6.convolution import KERNEL_MAP, SPARSE_CONV, SPARSE_CONV_GRADS, UP_AND_JOIN
from efficientlab.exercises.lab6.costs import CONV_COSTS, MORTON_ORDER
from efficientlab.exercises.lab6.kernel import GATHER_MULTIPLY_KERNEL
from efficientlab.exercises.lab6.points import POINT_TO_VOXEL, SPVCONV, VOXEL_TO_POINT
from efficientlab.exercises.lab6.search import EVOLVE, SLICE_JOINED
from efficientlab.exercises.lab6.voxels import DOWNSAMPLE, VOXELIZE

lab = Lab(
    number=6,
    slug="lab6_spvconv",
    title="Sparse voxels, whole streets",
    exercises=(
        Exercise("6.1", "From points to voxels", "build", points=8, minutes=8, stars=1, check=VOXELIZE),
        Exercise("6.2", "Half the resolution", "build", points=5, minutes=4, stars=1, check=DOWNSAMPLE),
        Exercise("6.3", "The kernel map", "build", points=11, minutes=14, stars=3, check=KERNEL_MAP),
        Exercise(
            "6.4", "Gather, multiply, scatter", "build", points=8, minutes=7, stars=2, check=SPARSE_CONV
        ),
        Exercise("6.5", "What a layer costs", "predict", points=6, minutes=8, stars=1, check=CONV_COSTS),
        Exercise("6.6", "Up again", "build", points=6, minutes=7, stars=2, check=UP_AND_JOIN),
        Exercise(
            "6.7", "From points to given voxels", "build", points=6, minutes=9, stars=2, check=POINT_TO_VOXEL
        ),
        Exercise(
            "6.8", "From voxels to points", "build", points=11, minutes=15, stars=3, check=VOXEL_TO_POINT
        ),
        Exercise("6.9", "The SPVConv block", "build", points=8, minutes=12, stars=2, check=SPVCONV),
        Exercise("6.10", "What did the points bring?", "investigate", points=8, minutes=15, stars=2),
        Exercise(
            "6.11", "The gradient by hand", "build", points=6, minutes=10, stars=2, check=SPARSE_CONV_GRADS
        ),
        Exercise("6.12", "Along a curve", "build", points=5, minutes=10, stars=2, check=MORTON_ORDER),
        Exercise("6.13", "A slice of two ranges", "build", points=4, minutes=4, stars=1, check=SLICE_JOINED),
        Exercise("6.14", "Search under a limit", "build", points=8, minutes=25, stars=3, check=EVOLVE),
        Exercise(
            "6.15",
            "Kernel corner: gather, multiply, add in Triton",
            "kernel",
            points=10,
            minutes=30,
            stars=3,
            check=GATHER_MULTIPLY_KERNEL,
        ),
    ),
)
