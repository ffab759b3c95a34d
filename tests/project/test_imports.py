"""Imports run one way: from a room to the rooms below it, never from one lab to another, never in a circle."""

import re
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

from efficientlab.authoring.site.rooms import FLOORS, ROOMS
from efficientlab.exercises.labs import MODULES


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """All imports between the package's files, also those inside functions and for type checkers alone."""
    return grimp.build_graph("efficientlab", cache_dir=None)


def test_every_room_has_its_floor(imports: grimp.ImportGraph) -> None:
    rooms = {module.removeprefix("efficientlab.") for module in imports.find_children("efficientlab")}
    assert rooms - {"__main__"} == set(ROOMS)


def test_no_import_runs_back_up(imports: grimp.ImportGraph) -> None:
    wrong = imports.find_illegal_dependencies_for_layers(
        layers=[set(floor) if len(floor) > 1 else floor[0] for floor in FLOORS], containers={"efficientlab"}
    )
    routes = [
        " → ".join([*sorted(route.heads), *route.middle, *sorted(route.tails)])
        for dependency in wrong
        for route in dependency.routes
    ]
    assert not routes


def test_no_lab_imports_from_another(imports: grimp.ImportGraph) -> None:
    labs = [m for m in imports.find_children("efficientlab.exercises") if re.search(r"\.lab\d+$", m)]
    assert set(labs) >= set(MODULES.values())
    for lab in labs:
        files = {lab, *imports.find_descendants(lab)}
        for file in files:
            others = {
                other
                for other in imports.find_modules_directly_imported_by(file) - files
                if other.startswith("efficientlab.exercises.lab") and other.split(".")[2][3:].isdigit()
            }
            assert not others, f"{file} imports {', '.join(sorted(others))}"


def test_no_files_import_each_other_in_a_circle(imports: grimp.ImportGraph) -> None:
    graph = {file: imports.find_modules_directly_imported_by(file) for file in imports.modules}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_the_rules_can_fail() -> None:
    """An arrow that runs up, one between labs, and a circle are each found in a graph that has them."""
    graph = grimp.build_graph("efficientlab", cache_dir=None)
    first, second = list(MODULES.values())[:2]
    graph.add_import(importer="efficientlab.kernels.shift", imported="efficientlab.viz.style")
    graph.add_import(importer=f"{first}.counting", imported=f"{second}.losses")
    graph.add_import(importer="efficientlab.kernels.backend", imported="efficientlab.kernels.shift")
    for rule in (
        test_no_import_runs_back_up,
        test_no_lab_imports_from_another,
        test_no_files_import_each_other_in_a_circle,
    ):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            rule(graph)
