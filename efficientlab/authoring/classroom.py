"""GitHub Classroom: a workflow for the students' repository that gives each checked exercise its points."""

from __future__ import annotations

from efficientlab.authoring.colab import clone_command
from efficientlab.exercises.lab import Lab

PLACE = ".github/workflows/classroom.yml"
"""Where the workflow lies in a bundle. In Classroom, name it as a protected file, which students may not change."""

HEAD = """\
# Made by `efficientlab release`. Each step checks one exercise, with fresh cases and the project's own package.
# Code of students runs here without a sandbox, on GitHub's machine; for grades that count, use `efficientlab grade`.
name: Autograding Tests
on: [push, repository_dispatch]
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  run-autograding-tests:
    runs-on: ubuntu-latest
    if: github.actor != 'github-classroom[bot]'
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - name: efficientlab
        run: {clone} /tmp/efficientlab
"""

STEP = """      - id: {step}
        uses: classroom-resources/autograding-command-grader@v1
        with:
          test-name: "{exercise} {title}"
          command: python /tmp/efficientlab/efficientlab check labs/{slug}.ipynb --lab {lab} --exercise {exercise}
          timeout: 20
          max-score: {points}
"""

TAIL = """      - uses: classroom-resources/autograding-grading-reporter@v1
        env:
{results}
        with:
          runners: {runners}
"""


def workflow(lab: Lab) -> str:
    """The workflow of a lab, as YAML: one step for each exercise that code checks, with its points."""
    checked = {f"ex{e.id.replace('.', '-')}": e for e in lab.exercises if e.check}
    steps = [
        STEP.format(
            step=step,
            exercise=e.id,
            title=e.title.replace('"', "'"),
            slug=lab.slug,
            lab=lab.number,
            points=e.points,
        )
        for step, e in checked.items()
    ]
    results = "\n".join(
        f'          {step.upper()}_RESULTS: "${{{{steps.{step}.outputs.result}}}}"' for step in checked
    )
    tail = TAIL.format(results=results, runners=",".join(checked))
    return "".join([HEAD.replace("{clone}", clone_command()), *steps, tail])
