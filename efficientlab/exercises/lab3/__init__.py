"""Lab 3, "A GAN from a hundred pictures": its exercises as data. The checks stand beside this file, by topic."""

from __future__ import annotations

from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.lab3.kernel import KERNEL
from efficientlab.exercises.lab3.losses import DISCRIMINATOR_LOSS, GENERATOR_LOSS
from efficientlab.exercises.lab3.outcome import LEAKAGE, PREDICTION
from efficientlab.exercises.lab3.overfitting import OVERFITTING
from efficientlab.exercises.lab3.transforms import COLOR, CUTOUT, POLICY, TRANSLATION

lab = Lab(
    number=3,
    slug="lab3_diffaugment",
    title="A GAN from a hundred pictures",
    exercises=(
        Exercise(
            "3.1",
            "What the discriminator knows by heart",
            "build",
            points=8,
            minutes=10,
            stars=1,
            check=OVERFITTING,
        ),
        Exercise(
            "3.2",
            "Brightness, saturation, contrast",
            "build",
            points=18,
            minutes=12,
            stars=2,
            check=COLOR,
        ),
        Exercise("3.3", "Translation", "build", points=14, minutes=17, stars=3, check=TRANSLATION),
        Exercise("3.4", "Cutout", "build", points=12, minutes=13, stars=2, check=CUTOUT),
        Exercise("3.5", "The policy", "build", points=6, minutes=8, stars=1, check=POLICY),
        Exercise(
            "3.6",
            "T in the discriminator's step",
            "build",
            points=12,
            minutes=6,
            stars=2,
            check=DISCRIMINATOR_LOSS,
        ),
        Exercise(
            "3.7", "T in the generator's step", "build", points=8, minutes=3, stars=2, check=GENERATOR_LOSS
        ),
        Exercise(
            "3.8", "Which T wins, before you train", "predict", points=4, minutes=4, stars=1, check=PREDICTION
        ),
        Exercise("3.9", "Measure the leak", "build", points=10, minutes=8, stars=2, check=LEAKAGE),
        Exercise("3.10", "What did the hundred pictures cost?", "investigate", points=8, minutes=12, stars=2),
        Exercise(
            "3.11",
            "Kernel corner: translation and cutout in Triton",
            "kernel",
            points=10,
            minutes=25,
            stars=3,
            check=KERNEL,
        ),
    ),
)
