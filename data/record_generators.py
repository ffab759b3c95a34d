"""Enter the generators of labs 1 and 2, data/gan/*, into the manifest.

    python -m efficientlab.training.gan.teacher FOLDER && python data/record_generators.py
    python -m efficientlab.training.gan.super_student FOLDER && python data/record_generators.py
    python -m efficientlab.training.gan.anycost.teacher FOLDER && python data/record_generators.py
    python -m efficientlab.training.gan.anycost.flexible FOLDER && python data/record_generators.py

The runs are seeded; another CPU or version of torch may round differently, so a checksum may change and the figures
hardly.
"""

from pathlib import Path

from manifest import record

SHOES = {
    "source": "trained here on Fashion-MNIST's footwear",
    "licence": "MIT (licences/fashion-mnist.txt)",
}
AVATARS = {
    "source": 'trained here on "Custom Avatar" by Ashley Seo, as drawn by make_avatars.py',
    "licence": "CC BY 4.0",
}
GENERATORS = {
    "teacher": ("weights of lab 1's teacher and of its discriminator", "teacher", SHOES),
    "super_student": ("weights of lab 1's super student", "super_student", SHOES),
    "anycost_teacher": (
        "weights of lab 2's full generator and its discriminator",
        "anycost.teacher",
        AVATARS,
    ),
    "anycost_flexible": ("weights of lab 2's flexible generator", "anycost.flexible", AVATARS),
}

if __name__ == "__main__":
    for name, (what, module, facts) in GENERATORS.items():
        folder = Path(__file__).parent / "gan"
        for path, says in (
            (folder / f"{name}.safetensors", f"{what}, half precision"),
            (folder / f"{name}.json", f"training log of gan/{name}.safetensors"),
        ):
            if path.exists():
                make = f"python -m efficientlab.training.gan.{module} FOLDER"
                record(path, what=says, make=make, **facts)
