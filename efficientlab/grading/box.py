"""The process that runs one submission's code: `python -m efficientlab.grading.box`.

It reads messages on standard input and answers each on standard output (see `wire`). The first message names
the lab and carries the code; every later one names an exercise and carries a case. Only arrays and plain values
go back; what they are worth is decided outside.
"""

from __future__ import annotations

import os
import sys
from typing import IO, Any

import torch

from efficientlab.exercises.contract import AnswerError, Values
from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.submission import Cell
from efficientlab.grading.wire import receive, send
from efficientlab.grading.workspace import Workspace


def main() -> None:
    torch.set_num_threads(1)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the student prints must not mix with the replies
    requests = sys.stdin.buffer

    def read(size: int) -> bytes:
        data = requests.read(size)
        if len(data) < size:
            raise SystemExit(0)  # the grader closed the pipe
        return data

    header, _ = receive(read)
    lab = find_lab(header["lab"])
    workspace = Workspace(lab, header["prelude"], [Cell(n, s, tuple(e)) for n, s, e in header["cells"]])
    send(replies, {"ready": True})
    while True:
        header, inputs = receive(read)
        _serve(workspace, header, inputs, replies)


def _serve(workspace: Workspace, header: dict[str, Any], inputs: Values, replies: IO[bytes]) -> None:
    check = workspace.lab[header["exercise"]].check
    assert check is not None
    for key, stride in header["strides"].items():
        value = inputs[key]
        assert isinstance(value, torch.Tensor)
        inputs[key] = torch.empty_strided(value.shape, stride, dtype=value.dtype).copy_(value)
    try:
        answer = workspace.answer(header["exercise"])
        send(replies, {"ok": True}, local_student(check, answer)(inputs))
    except AnswerError as error:
        send(replies, {"ok": False, "kind": error.kind, "text": error.text, "trace": error.trace})
    except (TypeError, ValueError) as error:  # an output that is neither an array nor a plain value
        send(replies, {"ok": False, "kind": type(error).__name__, "text": str(error), "trace": ""})


if __name__ == "__main__":
    main()
