"""Trained networks that outlive the notebook's kernel: a restart costs seconds, not the training.

They are used again only where nothing that they came from has changed: the text of the answers and of what these call,
the numbers of the profile, the initial weights, this package, and PyTorch. EFFICIENTLAB_KEEP=no trains anew, always;
notebooks are built, tested and graded so.
"""

from __future__ import annotations

import dis
import hashlib
import linecache
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, SimpleNamespace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

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

    Values that it uses count as text, too: plain ones, tensors, and what its objects and layers hold; and the names of
    what it uses of packages. An empty text stands for code whose text is not known.
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
        elif isinstance(thing, type | FunctionType | BuiltinFunctionType) and not _own(thing):
            yield f"{thing.__module__}.{thing.__qualname__}"  # what is in it, the versions tell
        elif isinstance(thing, type):
            waiting += [thing.__bases__, *vars(thing).values()]
        elif isinstance(thing, FunctionType):
            yield "".join(linecache.getlines(thing.__code__.co_filename))
            values = thing.__globals__
            waiting += [thing.__defaults__, thing.__kwdefaults__, list(_closed_over(thing))]
            waiting += [values[name] for name in _names(thing.__code__) if name in values]
        elif isinstance(thing, int | float | str | SimpleNamespace | torch.dtype):
            yield repr(thing)
        elif isinstance(thing, Tensor):
            yield _digest(_bytes(thing))
        elif isinstance(thing, nn.Module) or type(thing).__module__ == "__main__":
            waiting += [type(thing), getattr(thing, "__dict__", {})]


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a variable that has no value yet
            yield cell.cell_contents


def _own(thing: Any) -> bool:
    """Whether the notebook defines it."""
    return str(thing.__module__ or "builtins").partition(".")[0] not in _INSTALLED


_INSTALLED = {"efficientlab", "torch", "numpy", *sys.stdlib_module_names} - {"__main__"}


def _names(code: CodeType) -> list[str]:
    """The global names that code reads, functions inside it included; attributes are not among them."""
    inner = [name for part in code.co_consts if isinstance(part, CodeType) for name in _names(part)]
    return [*(step.argval for step in dis.get_instructions(code) if step.opname in _READS), *inner]


_READS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}


def _weights(models: Mapping[Any, nn.Module]) -> Iterator[str | bytes]:
    for each, model in models.items():
        yield repr(each)
        for name, tensor in model.state_dict().items():
            yield name
            yield _bytes(tensor)


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()


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
