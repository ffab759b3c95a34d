"""The package's rooms, from the top down; `tests/project/test_imports.py` holds imports to this order."""

ROOMS = (
    "cli",
    "demo",
    "authoring",
    "grading",
    "exercises",
    "viz",
    "training",
    "models",
    "datasets",
    "counters",
    "kernels",
    "environment",
    "files",
    "frontend",
)
