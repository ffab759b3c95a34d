"""What README, CONTRIBUTING and the guides say of the repository is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from efficientlab import cli
from efficientlab.authoring.colab import colab_url
from efficientlab.authoring.site.labs import core_minutes, minutes
from efficientlab.authoring.site.rooms import ROOMS
from efficientlab.environment import ROOT
from efficientlab.exercises.labs import MODULES, find_lab

GUIDES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "data/README.md",
    "docs/instructors.md",
    "docs/threat-model.md",
    *(f"docs/teaching/lab{number}.md" for number in MODULES),
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LABS = [find_lab(number) for number in MODULES]
ROOTS = (
    "",
    *(f"efficientlab/{room}" for room in ("", "grading/", "kernels/", "datasets/", "exercises/lab4/")),
)
MADE = ("build/", "efficientlab/data", "grades", "key.txt", ".github/workflows/classroom.yml")
THEIRS = ("gradescope/", "course/", "release/", "submission_metadata.yml")
"""What a command or an installation makes, and what other programs hold."""


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_that_a_guide_names_exists(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    named = [word for quoted in re.findall(r"`([^`\n]+)`", text) for word in quoted.split()]
    named += re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", text)
    named += [line.split()[0] for line in text.splitlines() if re.match(r"[\w.]+/[\w./]+\s{2,}", line)]
    paths = {
        word for word in named if re.fullmatch(r"\.?\w[\w./-]*(/|/[\w.-]+|\.(py|md|toml|txt|json|yml))", word)
    }
    plain = {path for path in paths if not re.search(r"[A-Z]{2,}\b(?<!README)|labN", path.partition(".")[0])}
    lost = sorted(
        path
        for path in plain
        if not path.startswith(MADE + THEIRS)
        and not any(_exists(place + path) for place in (*ROOTS, f"{Path(guide).parent.as_posix()}/"))
    )
    assert not lost
    assert plain or guide.startswith("docs/teaching/")


def _exists(path: str) -> bool:
    return (ROOT / path).exists()


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_that_a_guide_shows_is_known(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    verbs = set(re.findall(r"(?:python -m |`)efficientlab ([a-z-]+)", text))
    assert verbs <= set(next(a for a in cli._parser()._actions if a.dest == "verb").choices or ())
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"`make ([\w-]+)|^make ([\w-]+)", text, re.M)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_readme_shows_each_lab(lab) -> None:
    assert f"| {lab.number} · [{lab.title}](labs/{lab.slug}.ipynb) |" in README
    assert colab_url(lab.slug) in README
    assert f"docs/lab{lab.number}.png" in README
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"- Lab {lab.number}, " in changes or lab.number in (0, 1, 3, 4, 5)  # those of the first version


PARTS = ["The lecture before", "Questions at the desk", "Reading the written answers"]
PARTS += ["If there is less time, if there is more"]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_each_lab_has_teaching_notes_that_name_what_is_there(lab) -> None:
    text = (ROOT / "docs" / "teaching" / f"lab{lab.number}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.M) == PARTS
    exercises = {exercise.id for exercise in lab.exercises}
    named = set(re.findall(rf"(?<![\d.]){lab.number}\.\d{{1,2}}(?![\d.]*\d| [GM×%])", text))
    assert named <= exercises
    source = (ROOT / "solutions" / f"{lab.slug}.py").read_text(encoding="utf-8")
    sections = set(re.findall(r"^# ## (\d+) · ", source, re.M))
    assert set(re.findall(r"\bsections? (\d+)", text)) <= sections
    for exercise in lab.exercises:
        assert exercise.check or exercise.id in text.partition(f"## {PARTS[2]}")[2]  # what a person reads


def test_readme_says_how_long_a_lab_takes() -> None:
    assert "A lab takes two to three hours, about 90 minutes of them up to its first result" in README
    for lab in LABS:
        assert 75 <= core_minutes(lab) <= 90, lab.slug
        assert core_minutes(lab) < minutes(lab) <= 180, lab.slug


def test_readme_s_rooms_are_the_package_s() -> None:
    table = set(re.findall(r"`(\w+)/`", README.partition("| room |")[2].partition("\n\n")[0]))
    folders = {room for room in ROOMS if (ROOT / "efficientlab" / room).is_dir()}
    assert folders <= table


@pytest.mark.parametrize("room", ["datasets", "models", "training", "viz"])
def test_the_doors_are_those_that_readme_names(room: str) -> None:
    doors = {
        path.name for path in (ROOT / "efficientlab" / room).iterdir() if (path / "__init__.py").exists()
    }
    assert doors == {"gan", "video", "points", "streets"}
    said = " ".join(README.partition("have the same doors:")[2].partition("; at the top")[0].split())
    assert (
        said == "`gan/` for labs 1 to 3, `video/` for lab 4, `points/` for lab 5, `streets/` for labs 6 and 7"
    )


def test_the_versions_agree() -> None:
    from efficientlab import __version__

    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
