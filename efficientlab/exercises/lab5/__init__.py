"""Lab 5, "Points and voxels together": its exercises as data. The checks stand beside this file, by topic."""

from __future__ import annotations

from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab5.block import PERMUTATION_GAP, PVCONV
from efficientlab.exercises.lab5.costs import BRANCH_COSTS, CACHE_MISSES
from efficientlab.exercises.lab5.grid import DEVOXELIZE, GRID_REPORT, NORMALIZE, VOXELIZE
from efficientlab.exercises.lab5.kernel import VOXELIZE_KERNEL

lab = Lab(
    number=5,
    slug="lab5_pvcnn",
    title="Points and voxels together",
    exercises=(
        Exercise("5.1", "Grid coordinates", "build", points=10, minutes=8, stars=1, check=NORMALIZE),
        Exercise("5.2", "Average voxelization", "build", points=16, minutes=15, stars=2, check=VOXELIZE),
        Exercise("5.3", "What a grid keeps", "build", points=8, minutes=9, stars=1, check=GRID_REPORT),
        Exercise(
            "5.4", "Trilinear devoxelization", "build", points=18, minutes=22, stars=3, check=DEVOXELIZE
        ),
        Exercise("5.5", "The PVConv block", "build", points=12, minutes=20, stars=2, check=PVCONV),
        Exercise("5.6", "A cache, simulated", "build", points=10, minutes=20, stars=2, check=CACHE_MISSES),
        Exercise(
            "5.7", "Does the order matter?", "build", points=8, minutes=6, stars=1, check=PERMUTATION_GAP
        ),
        Exercise("5.8", "Costs by hand", "predict", points=10, minutes=14, stars=2, check=BRANCH_COSTS),
        Exercise("5.9", "Which network for which task?", "investigate", points=8, minutes=12, stars=2),
        Exercise(
            "5.10",
            "Kernel corner: voxelize in Triton",
            "kernel",
            points=10,
            minutes=30,
            stars=3,
            check=VOXELIZE_KERNEL,
        ),
    ),
)
