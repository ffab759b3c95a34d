"""The process that runs one submission's code.

`converse` speaks with the grader: it says that it is ready, gets the code, and then answers case after case (see
`wire`); other code may follow, and takes the place of the one before. Only arrays and plain values go back; what they
are worth is decided outside. A fork server calls it in a child; `python -m efficientlab.grading.running.box` does the
same in a process of its own, over standard input and output, after one message that names the lab and its prelude.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import torch

from efficientlab.exercises.contract import AnswerError, Values
from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.running.called import calls_of
from efficientlab.grading.running.wire import pack, receive
from efficientlab.grading.running.workspace import Workspace

MAX_CODE = 1 << 28  # the code comes from the grader, who has bounded it
Read = Callable[[int], bytearray]
Write = Callable[[bytes], object]


def converse(workspace: Workspace, line: socket.socket) -> None:
    """Answer over a socket until the grader closes it."""

    def read(size: int) -> bytearray:
        data = bytearray(size)
        view, at = memoryview(data), 0
        while at < size:
            count = line.recv_into(view[at:])
            if count == 0:
                raise EOFError
            at += count
        return data

    _converse(workspace, read, line.sendall)


def main() -> None:
    """Answer over standard input and output."""
    torch.set_num_threads(1)
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    requests = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # what the student prints must not mix with the replies

    def read(size: int) -> bytearray:
        data = bytearray(requests.read(size))
        if len(data) < size:
            raise EOFError
        return data

    def write(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[replies.write(view) or 0 :]

    setup, _ = receive(read, header_limit=MAX_CODE)
    _converse(Workspace(find_lab(setup["lab"]), setup["prelude"], []), read, write)


def _converse(workspace: Workspace, read: Read, write: Write) -> None:
    write(pack({"ready": True}))
    current = None
    workspace.is_main = True
    try:
        while True:
            header, inputs = receive(read, header_limit=MAX_CODE)
            if "cells" in header:
                cells = [Cell(n, s, tuple(e)) for n, s, e in header["cells"]]
                workspace.load(cells, header["reach"], header["picks"])
                workspace.lab.loans = header["loans"]
                continue
            if header["exercise"] != current:
                current = header["exercise"]
                _restore_torch()
            write(_reply(workspace, header, inputs))
    except EOFError:
        return  # the grader has what it wanted


def _reply(workspace: Workspace, header: dict[str, Any], inputs: Values) -> bytes:
    """Run one case. Whatever the student's code raises, `SystemExit` included, is an answer, too."""
    try:
        workspace.lab.graded = header["exercise"]  # `lab.borrow` does not hand this one out
        check = workspace.lab[header["exercise"]].check
        assert check is not None
        for key, stride in header["strides"].items():
            value = inputs[key]
            assert isinstance(value, torch.Tensor)
            inputs[key] = torch.empty_strided(value.shape, stride, dtype=value.dtype).copy_(value)
        student = local_student(check, workspace.answer(header["exercise"]))
        if not header["look"]:
            return pack({"ok": True}, student(inputs), header["limit"])
        outputs, called = calls_of(lambda: student(inputs))
        return pack({"ok": True, "called": called}, outputs, header["limit"])
    except AnswerError as error:
        error = workspace.explain(header["exercise"], error)
        return _failure(error.kind, error.text, error.trace)
    except BaseException as error:
        try:
            text = str(error)
        except Exception:  # a student's exception class may have a text that raises
            text = ""
        return _failure(type(error).__name__, text, "")


def _failure(kind: str, text: str, trace: str) -> bytes:
    return pack({"ok": False, "kind": kind[:200], "text": text[:2000], "trace": trace[:2000]})


def _restore_torch() -> None:
    """What one exercise's code changed for the whole process must not reach the next one's."""
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    torch.set_deterministic_debug_mode("default")
    torch.set_num_threads(1)


if __name__ == "__main__":
    main()
