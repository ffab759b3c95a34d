"""Several runs at once, one core each, under one progress bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

import torch

from efficientlab.frontend import progress_bar

Key = TypeVar("Key")
Result = TypeVar("Result")


def side_by_side(
    runs: Mapping[Key, Callable[[Any], Result]], *, steps: int, workers: int = 2
) -> dict[Key, Result]:
    """Makes all runs, `workers` at a time with one core each, and returns what each returned.

    A run depends on itself alone, not on `workers`. Small networks leave a second core idle when one step is spread
    over two, so each run takes one core. The workers are threads: PyTorch releases the interpreter's lock inside its
    operators, so two of them are as fast as two forked processes (measured: 1.73 times one, both). And models trained
    in place need not be pickled or sent back, which also allows classes that are defined in a notebook.

    Where one fails, or the kernel is interrupted, the others end at their next step.

    Args:
        runs: each is given the bar, which it advances by one a step.
        steps: of all runs together.
        workers: how many at a time.
    """
    threads = torch.get_num_threads()
    with progress(steps) as bar:
        pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
        try:
            futures = {key: pool.submit(run, bar) for key, run in runs.items()}
            for future in as_completed(futures.values()):
                future.result()  # raises what a run raised, as soon as it did
            return {key: future.result() for key, future in futures.items()}
        except BaseException:  # the kernel's interrupt, too
            bar.update = _end
            raise
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)


def _end(steps: int = 1) -> None:
    """In place of a bar's `update`: nobody waits for this run any more."""
    raise CancelledError


def progress(steps: int) -> Any:
    """A bar of training steps."""
    return progress_bar(steps, "step")
