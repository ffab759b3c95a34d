"""A student's answer, run here: in the notebook's own kernel, or inside the grader's box."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Any

import torch

from efficientlab.exercises.contract import AnswerError, Check, Student, Values
from efficientlab.exercises.values import plain

_PACKAGE = str(Path(__file__).resolve().parent.parent)
_LIBRARIES = ("site-packages", "dist-packages", "<frozen")


def local_student(check: Check, answer: Any) -> Student:
    """Bind `answer` to the check's driver. Whatever it raises becomes an `AnswerError` with the student's lines."""

    def student(inputs: Values) -> Values:
        copies = {k: _copy(v) if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
        dtype = torch.get_default_dtype()  # the process's, which an answer may set
        try:
            with torch.enable_grad():
                outputs = check.drive(answer, copies)
            return {k: v if isinstance(v, torch.Tensor) else plain(v) for k, v in outputs.items()}
        except AnswerError:
            raise
        except Exception as error:
            raise answer_error(error) from error
        finally:
            torch.set_default_dtype(dtype)

    return student


def answer_error(error: BaseException) -> AnswerError:
    """The student's view of an exception: its class, its text, and the lines of theirs that led to it."""
    if type(error).__module__.startswith("triton") and error.__cause__ is not None:
        error = error.__cause__  # the interpreter wraps what a kernel raised
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_PACKAGE) and not any(part in frame.filename for part in _LIBRARIES)
    ]
    trace = [f"  {_place(frame)} of {frame.name}: {frame.line}" for frame in frames if frame.line]
    return AnswerError(type(error).__name__, str(error).strip(), "\n".join(trace))


def _place(frame: traceback.FrameSummary) -> str:
    """`line 3`, and the cell's number where the file name tells it: `<cell 12> 5f3a…`, as the grader names cells."""
    cell = re.match(r"<(cell \d+)>", frame.filename)
    return f"{cell[1]}, line {frame.lineno}" if cell else f"line {frame.lineno}"


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    """A copy with the same strides: a non-contiguous case must stay non-contiguous."""
    copy = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device)
    return copy.copy_(tensor)
