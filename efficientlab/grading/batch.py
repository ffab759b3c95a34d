"""Grade a batch: what was graded before is kept, the rest is spread over an engine's workers."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from efficientlab.exercises.lab import Lab
from efficientlab.files import write_text
from efficientlab.grading.engines import Engine
from efficientlab.grading.engines.local import LocalEngine
from efficientlab.grading.grader import Plan
from efficientlab.grading.record import Incoming, Record, record_path
from efficientlab.grading.sandbox.limits import Limits
from efficientlab.grading.score import Reference


def grade_batch(
    incoming: Iterable[Incoming],
    lab: Lab,
    out: Path,
    *,
    seed: int | None = None,
    sandbox: str = "auto",
    image: str | None = None,
    limits: Limits | None = None,
    engine: Engine | None = None,
) -> Iterator[Record]:
    """Grade each submission, save its record below `out`, and yield it: kept ones first, then as they are done.

    Fresh cases are drawn from `seed`; without one it is drawn at random, once for a folder `out`, so that a run that
    was killed goes on with the same cases. A record is kept when submission, lab and seed are the same, it has no
    faults, and it was not made without a sandbox where one is asked for now. Every record is on disk before it is
    yielded; the caller may be killed at any time.

    Raises `SandboxError` before anything is graded where the sandbox does not work, and `ValueError` where two
    submissions have one id.
    """
    batch = list(incoming)
    _check_ids(batch)
    version = Reference(lab).version
    plan = Plan(lab.number, version, _seed(out, lab, version, seed), sandbox, image, limits or Limits())
    todo = []
    for one in batch:
        kept = _kept(one, plan, out)
        if kept:
            yield kept
        else:
            todo.append(one)
    if todo:
        for record in (engine or LocalEngine()).run(plan, todo, out):
            record.save(out)
            yield record


def _check_ids(batch: list[Incoming]) -> None:
    seen: set[str] = set()
    for one in batch:
        if one.id.casefold() in seen:  # some file systems do not tell A from a
            raise ValueError(f"two submissions have the id {one.id!r}; ids name records and must differ.")
        seen.add(one.id.casefold())


def _seed(out: Path, lab: Lab, version: str, seed: int | None) -> int:
    """The seed of this run; of one that goes on, the same as before."""
    path = out / "run.json"
    about = {"lab": lab.number, "lab_version": version}
    if seed is None and path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            if before | about == before and type(before["seed"]) is int:
                return before["seed"]
        except (ValueError, KeyError, TypeError):
            pass  # not a run of ours: a new seed is as good
    seed = secrets.randbelow(2**31 - 2) + 1 if seed is None else seed
    write_text(path, json.dumps({**about, "seed": seed}) + "\n")
    return seed


def _kept(one: Incoming, plan: Plan, out: Path) -> Record | None:
    try:
        record = Record.load(record_path(out, one.id))
    except (OSError, ValueError):
        return None
    same = (record.sha256, record.lab, record.lab_version, record.seed) == (
        *(one.sha256, plan.lab, plan.lab_version, plan.seed),
    )
    trusted = record.sandbox != "none" or plan.sandbox == "none"
    return record if same and trusted and not record.faults else None
