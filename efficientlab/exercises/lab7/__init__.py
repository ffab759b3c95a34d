"""Lab 7, "Two sensors, one map": its exercises as data. The checks stand beside this file, by topic."""

from __future__ import annotations

from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab7.boxes import HEAT, HEAT_LOSS, PEAKS
from efficientlab.exercises.lab7.geometry import CELL_INDEX, PIXEL_TO_RIG
from efficientlab.exercises.lab7.kernel import POOL_KERNEL
from efficientlab.exercises.lab7.lifting import LIFT, LIFT_BYTES
from efficientlab.exercises.lab7.pooling import INTERVALS, PREFIX_SUMS
from efficientlab.exercises.lab7.scores import MAP_IOU, PRECISION
from efficientlab.exercises.lab7.sensors import FUSER, HEIGHTS

lab = Lab(
    number=7,
    slug="lab7_bevfusion",
    title="Two sensors, one map",
    exercises=(
        Exercise("7.1", "A pixel in space", "build", points=10, minutes=10, stars=2, check=PIXEL_TO_RIG),
        Exercise("7.2", "Lift", "build", points=8, minutes=6, stars=1, check=LIFT),
        Exercise("7.3", "What lifting takes", "predict", points=6, minutes=5, stars=1, check=LIFT_BYTES),
        Exercise("7.4", "The cell of a point", "build", points=8, minutes=8, stars=2, check=CELL_INDEX),
        Exercise("7.5", "Pool by prefix sums", "build", points=6, minutes=12, stars=2, check=PREFIX_SUMS),
        Exercise("7.6", "Pool by intervals", "build", points=10, minutes=10, stars=3, check=INTERVALS),
        Exercise("7.7", "Heights into channels", "build", points=8, minutes=6, stars=1, check=HEIGHTS),
        Exercise("7.8", "The fuser", "build", points=8, minutes=10, stars=1, check=FUSER),
        Exercise("7.9", "Overlap of maps", "build", points=6, minutes=12, stars=2, check=MAP_IOU),
        Exercise("7.10", "Heat around centres", "build", points=6, minutes=12, stars=2, check=HEAT),
        Exercise("7.11", "A loss for heat", "build", points=6, minutes=8, stars=2, check=HEAT_LOSS),
        Exercise("7.12", "Peaks", "build", points=4, minutes=5, stars=1, check=PEAKS),
        Exercise("7.13", "Average precision", "build", points=8, minutes=20, stars=3, check=PRECISION),
        Exercise("7.14", "Which sensor for what?", "investigate", points=6, minutes=15, stars=2),
        Exercise(
            "7.15",
            "Kernel corner: pooling by intervals in Triton",
            "kernel",
            points=10,
            minutes=30,
            stars=3,
            check=POOL_KERNEL,
        ),
    ),
)
