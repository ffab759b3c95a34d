"""Trained networks that outlive the notebook's kernel: a restart costs seconds, not the training.

They are used again only where nothing that they came from has changed: the text of the answers and of what these call,
the numbers of the profile, the initial weights, this package, and PyTorch. EFFICIENTLAB_KEEP=no trains anew, always;
notebooks are built, tested and graded so.
"""

from __future__ import annotations

import hashlib
import linecache
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any, TypeVar

import torch
from torch import nn

from efficientlab.datasets.download import cache_folder
from efficientlab.files import replacing
from efficientlab.training.loop import Run

PACKAGE = Path(__file__).resolve().parents[1]
Result = TypeVar("Result")


def kept(
    name: str,
    models: Mapping[Any, nn.Module],
    fit: Callable[[], Mapping[Any, Result]],
    *,
    code: Any,
    settings: Any,
    classes: Sequence[type] = (Run,),
    folder: Path | None = None,
) -> dict[Any, Result]:
    """`fit()`, which trains `models` in place; or what it gave the last time, if it would give the same again.

    A sentence says so. One file a `name`, written when the training is done; one that is damaged or of other answers
    is replaced.

    Args:
        name: of the file; the lab, the profile and the experiment.
        models: by key, untrained; keys are plain values.
        fit: trains them and returns a run for each key.
        code: what the training runs and the notebook defines: functions, classes, and tables of them.
        settings: plain values that the training depends on, such as the profile's.
        classes: of the runs and of what these hold: dataclasses of plain values and tensors.
        folder: where files are kept; by default in this package's cache.
    """
    texts = list(texts_of(code))
    if os.environ.get("EFFICIENTLAB_KEEP") == "no" or "" in texts:  # without its text, code may have changed
        return dict(fit())
    path = cache_folder(folder, "trained") / f"{name}.pt"
    key = _digest(repr(settings), torch.__version__, _package(), *texts, *_weights(models))
    found = _load(path, classes)
    if found is not None and found["key"] == key:
        for each, model in models.items():
            model.load_state_dict(found["states"][each])
        print(
            f"{len(models)} networks that your answers trained on {found['date']} are used again: "
            "neither the answers nor the profile have changed since."
        )
        kept_runs: dict[Any, Result] = found["runs"]
        return kept_runs
    runs = dict(fit())
    date = datetime.now().strftime("%d %B, %H:%M")
    states = {each: model.state_dict() for each, model in models.items()}
    with replacing(path) as part:
        torch.save({"key": key, "date": date, "states": states, "runs": runs}, part)
    return runs


def texts_of(code: Any) -> Iterator[str]:
    """The text of each notebook cell that defines `code`, or something of the notebook's own that it uses.

    Plain values that it uses count as text, too. An empty text stands for code whose text is not known.
    """
    waiting: list[Any] = [code]
    seen: dict[int, Any] = {}
    while waiting:
        thing = waiting.pop(0)
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing  # alive, so that no other thing gets its id
        if isinstance(thing, Mapping):
            waiting += [*thing.keys(), *thing.values()]
        elif isinstance(thing, tuple | list):
            waiting += thing
        elif isinstance(thing, partial):
            waiting += [thing.func, thing.args, thing.keywords]
        elif isinstance(thing, staticmethod | classmethod):
            waiting.append(thing.__func__)
        elif isinstance(thing, property):
            waiting.append(thing.fget)
        elif isinstance(thing, type):
            if _own(thing):
                waiting += [thing.__bases__, *vars(thing).values()]
        elif isinstance(thing, FunctionType):
            if _own(thing):
                yield "".join(linecache.getlines(thing.__code__.co_filename))
                cells = [cell.cell_contents for cell in thing.__closure__ or ()]
                values = thing.__globals__
                waiting += [thing.__defaults__, thing.__kwdefaults__, cells]
                waiting += [values[name] for name in _names(thing.__code__) if name in values]
        elif isinstance(thing, int | float | str | SimpleNamespace):
            yield repr(thing)


def _own(thing: Any) -> bool:
    """Whether the notebook defines it: what is installed is told by the versions."""
    return str(thing.__module__).partition(".")[0] not in ("efficientlab", "torch", "numpy", "builtins")


def _names(code: CodeType) -> list[str]:
    """The names that code looks up, functions inside it included."""
    inner = [name for part in code.co_consts if isinstance(part, CodeType) for name in _names(part)]
    return [*code.co_names, *inner]


def _weights(models: Mapping[Any, nn.Module]) -> Iterator[str | bytes]:
    for each, model in models.items():
        yield repr(each)
        for name, tensor in model.state_dict().items():
            yield name
            yield tensor.detach().cpu().contiguous().numpy().tobytes()


@cache
def _package() -> str:
    """This package's own code."""
    return _digest(*(path.read_bytes() for path in sorted(PACKAGE.rglob("*.py"))))


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _load(path: Path, classes: Sequence[type]) -> dict[str, Any] | None:
    """What is kept at `path`, of these classes and no others; None where there is nothing, or nothing whole."""
    try:
        with torch.serialization.safe_globals(list(classes)):
            found: dict[str, Any] = torch.load(path, weights_only=True)
        return found if found.keys() >= {"key", "date", "states", "runs"} else None
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, AttributeError):
        return None
