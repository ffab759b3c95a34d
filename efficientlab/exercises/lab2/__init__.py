"""Lab 2, "One generator, any budget": its exercises as data. The checks stand beside this file, by topic."""

from __future__ import annotations

from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab2.budget import EVOLVE, GENERATOR_MACS, LATENCY_RATIOS
from efficientlab.exercises.lab2.editing import EDIT_DIRECTION, PROJECTION_LOSS
from efficientlab.exercises.lab2.game import CONDITIONING, CONSISTENCY_LOSS, DISCRIMINATOR_LOSS
from efficientlab.exercises.lab2.kernel import EPILOGUE_KERNEL
from efficientlab.exercises.lab2.slicing import MODULATED_CONV, SORT_CHANNELS, SUB_GENERATOR, UNIFORM_WIDTHS

lab = Lab(
    number=2,
    slug="lab2_anycost",
    title="One generator, any budget",
    exercises=(
        Exercise("2.1", "Slice, modulate, demodulate", "build", 12, 12, 2, MODULATED_CONV),
        Exercise("2.2", "A generator that stops early", "build", 12, 15, 2, SUB_GENERATOR),
        Exercise("2.3", "Which channels come first", "build", 12, 20, 3, SORT_CHANNELS),
        Exercise("2.4", "Uniform widths", "build", 4, 4, 1, UNIFORM_WIDTHS),
        Exercise("2.5", "MACs of every budget", "predict", 10, 10, 2, GENERATOR_MACS),
        Exercise("2.6", "Time, before you measure it", "predict", 4, 3, 1, LATENCY_RATIOS),
        Exercise("2.7", "One discriminator, many sizes", "build", 8, 8, 2, DISCRIMINATOR_LOSS),
        Exercise("2.8", "Consistency", "build", 8, 8, 2, CONSISTENCY_LOSS),
        Exercise("2.9", "Tell the discriminator", "build", 6, 10, 2, CONDITIONING),
        Exercise("2.10", "Evolution under a budget", "build", 6, 15, 2, EVOLVE),
        Exercise("2.11", "A direction", "build", 6, 8, 2, EDIT_DIRECTION),
        Exercise("2.12", "Projection with previews", "build", 4, 6, 1, PROJECTION_LOSS),
        Exercise("2.13", "When does a preview lie?", "investigate", 8, 20, 2),
        Exercise("2.14", "Kernel corner: the epilogue in one", "kernel", 10, 20, 3, EPILOGUE_KERNEL),
    ),
)
