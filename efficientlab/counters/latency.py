"""Time, measured so that it can be believed: warm-up, synchronisation, medians, and intervals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from efficientlab.counters.text import seconds, table

Timer = Callable[[Callable[[], object]], float]
"""Calls its argument once and returns how many seconds that took."""

_MIN_RUNS, _MAX_RUNS = 7, 500
_MIN_ROUNDS, _MAX_ROUNDS = 10, 40
RUNS_A_ROUND = 3  # of which the fastest counts
_MIN_SAMPLE = 200e-6  # seconds; shorter calls are repeated within one sample
_MOST_REPEATS = 100_000


@dataclass(frozen=True)
class Latency:
    """Seconds per call: the median with a 95 % interval, from `runs` samples; `best` is the shortest."""

    median: float
    low: float
    high: float
    runs: int
    best: float

    def __str__(self) -> str:
        return (
            f"{seconds(self.median)} [{seconds(self.low)}, {seconds(self.high)}] "
            f"(median, 95 %, {self.runs} runs)"
        )


@dataclass(frozen=True)
class Ratio:
    """Time of a contestant as a multiple of the baseline's, with a 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(
        cls, times: Sequence[float], base: Sequence[float], rng: np.random.Generator | None = None
    ) -> Ratio:
        """The median over rounds of `times` / `base`, one of each a round; the bootstrap draws with `rng`."""
        rng = np.random.default_rng(0) if rng is None else rng
        ratios = np.asarray(times) / np.asarray(base)
        resampled = np.median(rng.choice(ratios, size=(2000, len(ratios))), axis=1)
        low, high = np.quantile(resampled, [0.025, 0.975])
        return cls(float(np.median(ratios)), float(low), float(high))

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def above(self, bound: float) -> bool:
        """Whether the time is more than `bound` baselines: False only where the whole interval says otherwise.

        An interval that holds the bound decides nothing. That is printed, and the claim stands: no assertion fails
        because the machine was busy while it was measured.
        """
        return self._claim("above", bound, holds=self.low > bound, fails=self.high <= bound)

    def below(self, bound: float) -> bool:
        """Whether the time is less than `bound` baselines; see `above`."""
        return self._claim("below", bound, holds=self.high < bound, fails=self.low >= bound)

    def _claim(self, side: str, bound: float, holds: bool, fails: bool) -> bool:
        if not holds and not fails:
            print(
                f"Undecided: {self} may be {side} {bound:g} or not. Measure again while the machine is quiet."
            )
        return not fails


@dataclass(frozen=True)
class Comparison:
    """Result of `compare`: a Latency for each name, and each name's Ratio to `baseline`."""

    baseline: str
    latency: dict[str, Latency]
    ratio: dict[str, Ratio]
    rounds: int
    samples: dict[str, list[float]] = field(repr=False)
    """One time for each name and round, in seconds: what the ratios are computed from."""

    def __getitem__(self, name: str) -> Latency:
        return self.latency[name]

    def __str__(self) -> str:
        rows = [
            [name, seconds(t.median), f"[{seconds(t.low)}, {seconds(t.high)}]", str(self.ratio[name])]
            for name, t in self.latency.items()
        ]
        title = f"{self.rounds} interleaved rounds; ratio to {self.baseline!r}; 95 % intervals"
        return table(["name", "median", "interval", "ratio"], rows, title)


def latency(
    fn: Callable[..., object], *args: Any, budget: float = 1.0, timer: Timer | None = None
) -> Latency:
    """Seconds that `fn(*args)` takes.

    Three calls warm up (and bring lazily initialised libraries, caches and autotuners to rest). Then calls
    are timed until `budget` is spent, at least 7 and at most 500 of them. The interval of the median is the
    distribution-free one, between two order statistics: it assumes no shape of the noise, but it assumes
    independent samples. Milliseconds of two runs of a program are not comparable; use `compare` for that.

    Args:
        fn: what to time, called as it is: put `torch.no_grad()` inside if gradients should stay out.
        budget: seconds to spend on measuring.
        timer: how one call is timed. Default: CUDA events where an argument or a parameter of `fn` lies on a
            GPU, else the performance counter, synchronised where CUDA is in use.

    Raises:
        RuntimeError: inside a counter or another dispatch mode, which would be timed along with `fn`.
        ValueError: on meta tensors, which compute nothing; a budget that is negative or NaN.
    """
    if not budget >= 0:
        raise ValueError(f"budget must be seconds, got {budget}")
    call = partial(fn, *args)
    timer = timer or timer_for(fn, args)
    _refuse_in_a_mode()
    repeat = _warm_up(call, timer)
    samples: list[float] = []
    spent = 0.0
    while len(samples) < _MIN_RUNS or (spent < budget and len(samples) < _MAX_RUNS):
        samples.append(_sample(call, repeat, timer))
        spent += samples[-1] * repeat
    return summary(samples)


def compare(
    fns: Mapping[str, Callable[[], object]],
    baseline: str | None = None,
    *,
    rounds: int | None = None,
    budget: float = 4.0,
    timer: Timer | None = None,
    seed: int = 0,
) -> Comparison:
    """Time several functions against each other, fairly.

    Each round times every contestant three times, in random order, and keeps the best of the three: what
    disturbs the machine disturbs all of a round. The ratio is the median over rounds of (time / time of the
    baseline in the same round), its interval a percentile bootstrap over rounds. An interval that contains 1
    shows no difference.

    Args:
        fns: name to function without arguments.
        baseline: the name that ratios refer to; the first one if not given.
        rounds: number of interleaved rounds, at least 10. By default as many as fit into the budget, 10 to 40.
        budget: seconds to spend on measuring, by the timer's clock.
        timer: how one call is timed. Default: the performance counter for all alike, synchronised where
            CUDA is in use. Short calls are repeated within a sample, so launches overlap as they do in use.
        seed: of the order within rounds and of the bootstrap.

    Raises:
        RuntimeError: inside a counter or another dispatch mode, which would be timed along with the functions.
        ValueError: fewer than two functions, a baseline that is none of them, fewer than 10 rounds, or a budget that
            is negative or NaN.

    >>> result = compare({"copy": lambda: x.clone(), "view": lambda: x.t()})    # doctest: +SKIP
    >>> result.ratio["view"].high < 1                                          # doctest: +SKIP
    True
    """
    if len(fns) < 2:
        raise ValueError(f"compare needs at least two functions, got {len(fns)}; use latency for one")
    baseline = next(iter(fns)) if baseline is None else baseline
    if baseline not in fns:
        raise ValueError(f"baseline {baseline!r} is not among the functions: {', '.join(map(repr, fns))}")
    if rounds is not None:
        refuse_few(rounds)
    if not budget >= 0:
        raise ValueError(f"budget must be seconds, got {budget}")
    _refuse_in_a_mode()
    timer = timer or _wall_timer
    repeats = {name: _warm_up(fn, timer) for name, fn in fns.items()}
    rng = np.random.default_rng(seed)
    names = list(fns)
    calls: dict[str, list[float]] = {name: [] for name in names}
    best: dict[str, list[float]] = {name: [] for name in names}
    least, most = (_MIN_ROUNDS, _MAX_ROUNDS) if rounds is None else (rounds, rounds)
    done, spent = 0, 0.0
    while done < least or (done < most and spent < budget):
        for i in rng.permutation(len(names)):
            name = names[i]
            times = [_sample(fns[name], repeats[name], timer) for _ in range(RUNS_A_ROUND)]
            calls[name] += times
            best[name].append(min(times))
            spent += sum(times) * repeats[name]
        done += 1
    return Comparison(
        baseline=baseline,
        latency={name: summary(calls[name]) for name in names},
        ratio={name: Ratio.of(best[name], best[baseline], rng) for name in names},
        rounds=done,
        samples=best,
    )


# --------------------------------------------------------------------------------------- statistics


def summary(samples: Sequence[float]) -> Latency:
    """Median, its distribution-free 95 % interval, and the best of some timed calls."""
    ordered = sorted(samples)
    n = len(ordered)
    k = _order_statistic(n)
    median = float(np.median(ordered))
    return Latency(median, ordered[k], ordered[n - 1 - k], n, ordered[0])


def _order_statistic(n: int) -> int:
    """Largest k with P(median in [x_(k), x_(n-1-k)]) ≥ 95 %: Binomial(n, ½) samples lie below the median."""
    tail, k = 0.0, 0
    while k < n // 2:
        tail += math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))
        if tail > 0.025:
            break
        k += 1
    return max(k - 1, 0)


def refuse_few(rounds: int) -> None:
    """`ValueError` where so few rounds give no interval."""
    if rounds < _MIN_ROUNDS:
        raise ValueError(
            f"rounds must be at least {_MIN_ROUNDS} for an interval to mean anything, got {rounds}"
        )


# ------------------------------------------------------------------------------------------- timing


def _sample(fn: Callable[[], object], repeat: int, timer: Timer) -> float:
    """Mean seconds of `repeat` calls that are timed as one."""
    if repeat == 1:
        return timer(fn)

    def several() -> None:
        for _ in range(repeat):
            fn()

    return timer(several) / repeat


def _warm_up(fn: Callable[[], object], timer: Timer) -> int:
    """Three calls; returns how many calls make a sample that the clock resolves.

    Where the clock did not move during a call, ten times as many calls are timed, and ten times as many again.
    """
    repeat, shortest = 1, min(timer(fn) for _ in range(3))
    while shortest <= 0:
        repeat *= 10
        if repeat > _MOST_REPEATS:
            raise ValueError(f"the timer says that {_MOST_REPEATS:,} calls took no time; give another one")
        shortest = _sample(fn, repeat, timer)
    return max(repeat, math.ceil(_MIN_SAMPLE / shortest))


def wall_clock() -> float:
    """The performance counter's seconds, once a GPU that is in use has done its work."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


def _wall_timer(fn: Callable[[], object]) -> float:
    start = wall_clock()
    fn()
    return wall_clock() - start


def processor_time(fn: Callable[[], object]) -> float:
    """Seconds that the processor worked for this process during one call: a `timer` for busy machines.

    Other programs' turns do not count, so ratios of long to short calls are unbiased. It counts the work of all
    threads, and none of a GPU's. Where the system counts processor time in ticks too coarse for a sample, as
    Windows does in steps of 15.6 ms, this is the wall clock's time.
    """
    clock = processor_clock()
    start = clock()
    fn()
    return clock() - start


def processor_clock() -> Callable[[], float]:
    """The clock of `processor_time`."""
    return time.perf_counter if _tick(time.process_time) > _MIN_SAMPLE else time.process_time


@cache
def _tick(clock: Callable[[], float]) -> float:
    """The smallest step in seconds that a clock was seen to make; what `get_clock_info` says of it is not so."""
    steps = []
    for _ in range(3):
        start = clock()
        while (now := clock()) == start:
            pass
        steps.append(now - start)
    return min(steps)


def _cuda_timer(fn: Callable[[], object]) -> float:
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    fn()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) * 1e-3


def timer_for(fn: Callable[..., object], args: Sequence[Any]) -> Timer:
    """CUDA events where `fn` (a module or its method) or an argument is on a GPU, else the wall clock."""
    owner = fn if isinstance(fn, nn.Module) else getattr(fn, "__self__", None)
    parameters = list(owner.parameters()) if isinstance(owner, nn.Module) else []
    tensors = [x for x in [*tree_leaves(list(args)), *parameters] if isinstance(x, Tensor)]
    if any(x.is_meta for x in tensors):
        raise ValueError(
            "latency needs real tensors, got meta tensors, which compute nothing; use count() for them"
        )
    return _cuda_timer if any(x.is_cuda for x in tensors) else _wall_timer


def _refuse_in_a_mode() -> None:
    mode = torch.utils._python_dispatch._get_current_dispatch_mode()
    if mode is not None:
        raise RuntimeError(
            f"refusing to time inside {type(mode).__name__}: it would be timed along with the function; "
            "measure time outside of counters and other dispatch modes"
        )
