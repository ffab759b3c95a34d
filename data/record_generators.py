"""Enter lab 1's generators, data/gan/*, into the manifest.

    python -m efficientlab.training.gan.teacher FOLDER && python data/record_generators.py
    python -m efficientlab.training.gan.super_student FOLDER && python data/record_generators.py

The runs are seeded; another CPU or version of torch may round differently, so a checksum may change and the figures
hardly.
"""

from pathlib import Path

from manifest import record

WHAT = {
    "teacher": "weights of lab 1's teacher and of its discriminator, half precision",
    "super_student": "weights of lab 1's super student, half precision",
}

if __name__ == "__main__":
    for name, what in WHAT.items():
        folder = Path(__file__).parent / "gan"
        for path, says in (
            (folder / f"{name}.safetensors", what),
            (folder / f"{name}.json", f"training log of gan/{name}.safetensors"),
        ):
            if path.exists():
                record(
                    path,
                    what=says,
                    source="trained here on Fashion-MNIST's footwear",
                    licence="MIT (licences/fashion-mnist.txt)",
                    make=f"python -m efficientlab.training.gan.{name} FOLDER",
                )
