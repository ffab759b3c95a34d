"""Lab 0, "What does it cost?": its exercises as data. The checks stand beside this file, by topic."""

from __future__ import annotations

from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab0.counting import BY_HAND, CONV_MACS, COUNT_MACS, GENERATOR_MACS
from efficientlab.exercises.lab0.kernel import ACTIVATION_KERNEL
from efficientlab.exercises.lab0.latency import MEDIAN_LATENCY
from efficientlab.exercises.lab0.roofline import MEMORY_BOUND, OP_COSTS, ROOF

lab = Lab(
    number=0,
    slug="lab0_cost",
    title="What does it cost?",
    exercises=(
        Exercise("0.1", "Six convolutions by hand", "predict", points=8, minutes=10, stars=1, check=BY_HAND),
        Exercise("0.2", "The same in code", "build", points=14, minutes=11, stars=2, check=CONV_MACS),
        Exercise("0.3", "The missing 7.2 G", "predict", points=12, minutes=15, stars=2, check=GENERATOR_MACS),
        Exercise("0.4", "A counter with hooks", "build", points=18, minutes=35, stars=3, check=COUNT_MACS),
        Exercise("0.5", "Bytes", "build", points=12, minutes=16, stars=2, check=OP_COSTS),
        Exercise(
            "0.6",
            "Memory-bound or not, before you measure it",
            "predict",
            points=4,
            minutes=3,
            stars=1,
            check=MEMORY_BOUND,
        ),
        Exercise("0.7", "A latency meter", "build", points=16, minutes=18, stars=2, check=MEDIAN_LATENCY),
        Exercise("0.8", "The roofline", "build", points=8, minutes=9, stars=1, check=ROOF),
        Exercise("0.9", "Half the MACs, half the time?", "investigate", points=8, minutes=12, stars=2),
        Exercise(
            "0.10",
            "Kernel corner: three passes in one",
            "kernel",
            points=10,
            minutes=15,
            stars=3,
            check=ACTIVATION_KERNEL,
        ),
    ),
)
