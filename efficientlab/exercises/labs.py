"""The labs there are, by number."""

from __future__ import annotations

from importlib import import_module

from efficientlab.exercises.lab import Lab

MODULES = {
    0: "efficientlab.exercises.lab0",
    1: "efficientlab.exercises.lab1",
    2: "efficientlab.exercises.lab2",
    3: "efficientlab.exercises.lab3",
    4: "efficientlab.exercises.lab4",
    5: "efficientlab.exercises.lab5",
    6: "efficientlab.exercises.lab6",
    7: "efficientlab.exercises.lab7",
}


def find_lab(number: int) -> Lab:
    """The lab with this number; `KeyError` names the ones that exist."""
    if number not in MODULES:
        raise KeyError(f"there is no lab {number}; there are labs {', '.join(map(str, MODULES))}")
    lab: Lab = import_module(MODULES[number]).lab
    return lab
