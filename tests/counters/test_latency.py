"""Statistics of time, tested with a simulated clock; the real clock is only asked for what must be true."""

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from efficientlab.counters import compare, count, latency, measure, processor_time
from efficientlab.counters.latency import Ratio, _tick, summary


class Machine:
    """Simulated time on a busy machine: slow drift, bursts of other work, jitter, and a few outliers.

    `run(t)` is the time of a job that would take t on an idle machine.
    """

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.drift, self.burst, self.calls = 0.0, 0, 0

    def run(self, t):
        self.calls += 1
        self.drift = 0.98 * self.drift + 0.02 * self.random.standard_normal()
        if self.burst:
            self.burst -= 1
        elif self.random.random() < 0.01:
            self.burst = int(self.random.integers(5, 40))
        jitter = self.random.exponential(0.1) + (self.random.random() < 0.05) * self.random.exponential(1)
        return t * np.exp(self.drift) * (1.5 if self.burst else 1.0) * (1 + jitter)


def simulated(fn):
    """A timer for functions that return their own duration."""
    return fn()


def ratios(factor, trials, **options):
    for seed in range(trials):
        machine = Machine(seed)
        jobs = {"a": lambda m=machine: m.run(0.01), "b": lambda m=machine: m.run(0.01 * factor)}
        yield compare(jobs, timer=simulated, seed=seed, **options).ratio["b"]


def test_same_against_same_finds_no_difference():
    trials = 200
    inside = sum(r.low <= 1 <= r.high for r in ratios(1.0, trials))
    assert inside >= 0.93 * trials


def test_a_difference_of_a_tenth_is_found():
    found = [r.low > 1 and r.low < 1.1 < r.high for r in ratios(1.1, 100)]
    assert sum(found) >= 93
    assert all(1.05 < r.value < 1.15 for r in ratios(1.1, 20))


def test_more_rounds_narrow_the_interval():
    narrow, wide = (np.mean([r.high - r.low for r in ratios(1.0, 20, rounds=n)]) for n in (80, 20))
    assert narrow < 0.7 * wide


def test_rounds_are_interleaved_and_baseline_is_chosen():
    order = []
    jobs = {name: (lambda name=name: order.append(name) or 0.01) for name in "abc"}
    result = compare(jobs, baseline="b", rounds=12, timer=simulated)
    warm_up = order[:9]
    assert sorted(warm_up) == sorted("abc" * 3)
    rounds = [order[9 * i + 9 : 9 * i + 18] for i in range(12)]
    assert all(sorted(r) == sorted("abc" * 3) for r in rounds)
    assert len({tuple(r) for r in rounds}) > 1, "the order within a round is random"
    assert result.baseline == "b"
    assert result.ratio["b"].value == result.ratio["b"].low == result.ratio["b"].high == 1
    assert result["a"].runs == 36
    assert len(result.samples["a"]) == result.rounds == 12


def test_compare_is_reproducible_from_its_seed():
    def once():
        machine = Machine(5)
        jobs = {"a": lambda: machine.run(0.01), "b": lambda: machine.run(0.011)}
        return compare(jobs, timer=simulated, seed=3)

    assert once() == once()


def test_comparison_prints_a_table():
    text = str(compare({"copy": lambda: 0.002, "view": lambda: 0.001}, timer=simulated))
    assert "ratio to 'copy'" in text
    assert "0.500 [0.500, 0.500]" in text
    assert "1.00 ms" in text


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(1e-6, 10, allow_nan=False), min_size=1, max_size=60))
def test_summary_is_ordered(samples):
    result = summary(samples)
    assert result.best == min(samples)
    assert result.best <= result.low <= result.median <= result.high <= max(samples)
    assert result.median == np.median(samples)
    assert result.runs == len(samples)


@pytest.mark.parametrize("n", [7, 25, 200])
def test_interval_of_the_median_covers_it(n):
    random = np.random.default_rng(n)
    trials = [summary(list(random.exponential(1.0, n))) for _ in range(400)]
    assert np.mean([t.low <= np.log(2) <= t.high for t in trials]) >= 0.93


@pytest.mark.parametrize(("n", "rank"), [(6, 0), (7, 0), (9, 1), (100, 39)])
def test_interval_uses_the_tabulated_ranks(n, rank):
    """Ranks of the 95 % interval of a median, from a table of the binomial distribution."""
    result = summary([float(i) for i in range(n)])
    assert (result.low, result.high) == (rank, n - 1 - rank)


def test_latency_spends_its_budget():
    runs = [latency(lambda t=t: t, budget=1.0, timer=simulated).runs for t in (10.0, 0.02, 0.001)]
    assert runs == [7, 50, 500]


def test_compare_spends_its_budget():
    for seconds, rounds in ((10.0, 10), (0.02, 23), (0.001, 40)):  # a round calls both three times
        jobs = {"a": lambda t=seconds: t, "b": lambda t=seconds / 2: t}
        assert compare(jobs, budget=2.0, timer=simulated).rounds == rounds
    assert compare(jobs, rounds=12, budget=0.0, timer=simulated).rounds == 12
    with pytest.raises(ValueError, match="budget must be seconds"):
        compare(jobs, budget=float("nan"))


def test_short_calls_are_repeated_within_a_sample():
    calls = []

    def timer(fn):
        before = len(calls)
        fn()
        return 1e-5 * (len(calls) - before)

    result = latency(lambda: calls.append(1), timer=timer)
    assert result.median == pytest.approx(1e-5)
    assert (len(calls) - 3) / result.runs == 20  # samples of 200 µs


def test_calls_shorter_than_a_tick_of_the_clock_are_repeated_until_it_moves():
    """A Windows performance counter moves in steps of 100 ns; these calls take 30 ns."""
    now = 0.0

    def work():
        nonlocal now
        now += 30e-9

    def timer(fn):
        start = now // 1e-7
        fn()
        return (now // 1e-7 - start) * 1e-7

    result = compare({"a": work, "b": lambda: [work(), work()]}, rounds=10, timer=timer)
    assert result["a"].median == pytest.approx(30e-9, rel=0.01)
    assert result.ratio["b"].value == pytest.approx(2, rel=0.01)
    with pytest.raises(ValueError, match="100,000 calls took no time"):
        latency(int, timer=lambda fn: 0.0)


@pytest.mark.parametrize("bad", [{}, {"a": int}])
def test_compare_needs_two(bad):
    with pytest.raises(ValueError, match="at least two"):
        compare(bad)


def test_compare_explains_bad_arguments():
    with pytest.raises(ValueError, match="baseline 'c' is not among the functions: 'a', 'b'"):
        compare({"a": int, "b": int}, baseline="c")
    with pytest.raises(ValueError, match="at least 10"):
        compare({"a": int, "b": int}, rounds=3)


def test_meta_tensors_cannot_be_timed():
    with pytest.raises(ValueError, match="use count"):
        latency(nn.Linear(2, 2, device="meta"), torch.ones(1, 2, device="meta"))


def test_timing_inside_a_mode_is_refused():
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False), pytest.raises(RuntimeError, match="refusing to time"):
        compare({"a": int, "b": int})


def test_measure_times_the_whole_and_each_module():
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64))
    x = torch.randn(32, 64)
    result = measure(model, x)
    assert result.latency.runs >= 7
    assert 0 < result.latency.low <= result.latency.median <= result.latency.high
    parts = [row.latency.median for row in result.rows]
    assert all(part > 0 for part in parts)
    assert parts[0] >= max(parts[1:])
    trained = measure(model, x, backward=True)
    assert trained.latency is not None
    assert all(row.latency is None for row in trained.rows)
    assert measure(model, x, time=False) == count(model, x)


@pytest.mark.skipif(
    _tick(time.process_time) > 1e-3, reason="this system counts processor time in coarse ticks"
)
def test_processor_time_leaves_sleep_out_and_counts_work():
    assert processor_time(lambda: time.sleep(0.05)) < 0.02

    def work() -> None:
        end = time.process_time() + 0.03
        while time.process_time() < end:
            pass

    assert processor_time(work) >= 0.03


def test_processor_time_takes_the_wall_clock_where_the_processor_s_is_coarse(monkeypatch):
    """Windows counts processor time in ticks of 1/64 s, which says 0 of nearly every call."""
    fine = time.process_time
    monkeypatch.setattr(time, "process_time", lambda: fine() * 64 // 1 / 64)
    x = torch.randn(64, 64)
    result = compare({"once": lambda: x @ x, "ten": lambda: [x @ x for _ in range(10)]}, timer=processor_time)
    assert result["once"].low > 0
    assert 3 < result.ratio["ten"].value < 30


@pytest.mark.parametrize(
    ("bound", "above", "below", "undecided"),
    [(0.7, True, False, 0), (0.9, True, True, 2), (1.0, True, True, 2), (1.3, False, True, 0)],
)
def test_only_an_interval_that_is_wholly_on_the_other_side_refutes_a_claim(
    bound: float, above: bool, below: bool, undecided: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ratio = Ratio(1.0, 0.8, 1.2)
    assert (ratio.above(bound), ratio.below(bound)) == (above, below)
    assert capsys.readouterr().out.count("Undecided: 1.000 [0.800, 1.200] may be ") == undecided
