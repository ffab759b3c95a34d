"""Lab 1, "A generator that fits": its exercises as data. The checks stand beside this file, by topic."""

from __future__ import annotations

from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab1.kernel import NORM_RELU_KERNEL
from efficientlab.exercises.lab1.losses import (
    ADVERSARIAL_LOSSES,
    DISTILLATION,
    FINE_TUNE,
    RECONSTRUCTION_LOSS,
    TOTAL_OBJECTIVE,
)
from efficientlab.exercises.lab1.search import EVOLVE, GENERATOR_MACS, LATENCY_RATIOS
from efficientlab.exercises.lab1.slicing import EXTRACT, SAMPLE_CONFIG, SLICED

lab = Lab(
    number=1,
    slug="lab1_gan_compression",
    title="A generator that fits",
    exercises=(
        Exercise("1.1", "Two players", "build", 10, 8, 2, ADVERSARIAL_LOSSES),
        Exercise("1.2", "Reconstruction, with pairs and without", "build", 6, 6, 1, RECONSTRUCTION_LOSS),
        Exercise("1.3", "Feature distillation", "build", 12, 11, 2, DISTILLATION),
        Exercise("1.4", "The total objective", "build", 4, 3, 1, TOTAL_OBJECTIVE),
        Exercise("1.5", "Layers that can be sliced", "build", 14, 18, 3, SLICED),
        Exercise("1.6", "Draw a configuration", "build", 4, 3, 1, SAMPLE_CONFIG),
        Exercise("1.7", "MACs by hand", "predict", 12, 19, 2, GENERATOR_MACS),
        Exercise("1.8", "Latency, before you measure it", "predict", 4, 3, 1, LATENCY_RATIOS),
        Exercise("1.9", "Cut one student out", "build", 6, 9, 2, EXTRACT),
        Exercise("1.10", "Evolution under a budget", "build", 12, 38, 3, EVOLVE),
        Exercise("1.11", "The game, and fine-tuning", "build", 8, 24, 2, FINE_TUNE),
        Exercise("1.12", "What would you compress?", "investigate", 8, 15, 2),
        Exercise("1.13", "Kernel corner: norm and ReLU in one", "kernel", 10, 30, 3, NORM_RELU_KERNEL),
    ),
)
