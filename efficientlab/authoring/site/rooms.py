"""The package's rooms, from the top down; `tests/project/test_imports.py` holds imports to this order."""

FLOORS = (  # the rooms of one floor know nothing of each other
    ("cli",),
    ("demo",),
    ("authoring",),
    ("grading",),
    ("exercises",),
    ("viz",),
    ("training",),
    ("models",),
    ("datasets",),
    ("counters",),
    ("kernels",),
    ("environment", "files", "frontend", "seeding"),
)
ROOMS = tuple(room for floor in FLOORS for room in floor)
