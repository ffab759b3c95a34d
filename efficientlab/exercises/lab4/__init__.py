"""Lab 4, "Video at the price of images": its exercises as data. The checks stand beside this file, by topic."""

from __future__ import annotations

from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab4.aggregation import CLIP_LOGITS
from efficientlab.exercises.lab4.costs import LATENCY_RATIOS, PREDICT_COSTS, STEP_COST
from efficientlab.exercises.lab4.kernel import SHIFT_KERNEL
from efficientlab.exercises.lab4.online import ONLINE_SHIFT, STREAM_LOGITS
from efficientlab.exercises.lab4.shift import KERNEL_IN_TIME, SHIFTED_BLOCK, TEMPORAL_SHIFT

lab = Lab(
    number=4,
    slug="lab4_tsm",
    title="Video at the price of images",
    exercises=(
        Exercise("4.1", "Frame aggregation", "build", points=8, minutes=6, stars=1, check=CLIP_LOGITS),
        Exercise("4.2", "The temporal shift", "build", points=16, minutes=20, stars=2, check=TEMPORAL_SHIFT),
        Exercise("4.3", "Where the shift goes", "build", points=10, minutes=8, stars=2, check=SHIFTED_BLOCK),
        Exercise(
            "4.4",
            "MACs and parameters by hand",
            "predict",
            points=10,
            minutes=45,
            stars=3,
            check=PREDICT_COSTS,
        ),
        Exercise(
            "4.5",
            "Latency, before you measure it",
            "predict",
            points=4,
            minutes=5,
            stars=1,
            check=LATENCY_RATIOS,
        ),
        Exercise("4.6", "The online shift", "build", points=14, minutes=10, stars=2, check=ONLINE_SHIFT),
        Exercise("4.7", "Early recognition", "build", points=8, minutes=10, stars=1, check=STREAM_LOGITS),
        Exercise("4.8", "What training sends", "build", points=6, minutes=16, stars=2, check=STEP_COST),
        Exercise("4.9", "When would you not use it?", "investigate", points=16, minutes=25, stars=2),
        Exercise(
            "4.10",
            "Kernel corner: the shift in Triton",
            "kernel",
            points=10,
            minutes=40,
            stars=3,
            check=SHIFT_KERNEL,
        ),
        Exercise(
            "4.11", "The 3D kernel inside", "build", points=8, minutes=10, stars=2, check=KERNEL_IN_TIME
        ),
    ),
)
