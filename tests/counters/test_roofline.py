"""Roofs, bounds and energy from known rates; the device's own rates are only checked for sense."""

import matplotlib as mpl
import pytest
import torch
from torch import nn

from efficientlab.counters import Latency, Roofline, count, energy, plot_roofline, roofline
from efficientlab.counters.roofline import _Copies

mpl.use("Agg")
ROOF = Roofline("paper machine", "float32", flops_per_second=1e12, bytes_per_second=1e11)
x = torch.randn(64, 256)


def test_roofs_meet_at_the_ridge():
    assert ROOF.ridge == 10
    assert ROOF.attainable(2) == 2e11
    assert ROOF.attainable(10) == ROOF.attainable(500) == 1e12


def test_bound_and_least_time():
    elementwise, product = count(torch.relu, x), count(lambda x: x @ torch.ones(256, 256), x)
    assert ROOF.bound(elementwise) == "memory"
    assert ROOF.seconds(elementwise) == elementwise.bytes_moved / 1e11
    assert product.intensity > 10
    assert ROOF.bound(product) == "compute"
    assert ROOF.seconds(product) == product.flops / 1e12


def test_table_lists_operators_by_time():
    text = ROOF.table(count(nn.Sequential(nn.Linear(256, 256), nn.ReLU()), x))
    assert "paper machine, float32: 1.00 TFLOP/s, 100 GB/s, ridge at 10.0 FLOP/B" in text
    lines = [line.split() for line in text.splitlines() if "aten." in line]
    assert [(line[0], line[-3]) for line in lines] == [("aten.addmm", "compute"), ("aten.relu", "memory")]


def test_plot_shows_reached_and_reachable_rates():
    from dataclasses import replace

    product = count(lambda x: x @ torch.ones(256, 256), x)
    spent = Latency(median=1e-3, low=9e-4, high=2e-3, runs=9, best=9e-4)
    ax = plot_roofline(ROOF, {"timed": replace(product, latency=spent), "bound": product})
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert "FLOP/byte" in ax.get_xlabel()
    assert "FLOP/s" in ax.get_ylabel()
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [dot.get_ydata()[0] for dot in dots] == [product.flops / 1e-3, 1e12]
    assert [text.get_text() for text in ax.texts] == ["timed", "bound"]
    above, below = (text.xyann[1] for text in ax.texts)
    assert below < 0 < above, "points of one intensity must not write over each other"
    with pytest.raises(ValueError, match="do no MACs: relu"):
        plot_roofline(ROOF, {"relu": count(torch.relu, x)})


def test_copies_go_through_all_of_the_memory():
    """A piece that comes again soon, or zeros that were never written, would be read from a cache."""
    copies = _Copies(torch.device("cpu"), torch.float32)
    assert copies.source.nbytes == 128 * 2**20
    assert (copies.source == 1).all()
    calls = 2 * copies.source.nbytes // copies.bytes_moved
    assert calls == 32
    for done in range(1, calls + 1):
        copies()
        edges = copies.target.view(calls, -1)[:, [0, -1]]  # of each piece
        assert (edges == 1).all(1).sum() == (edges == 1).any(1).sum() == done
    assert (copies.target == 1).all()


def test_roofline_of_this_machine():
    roof = roofline()
    assert roofline() is roof, "measured once"
    assert roof.device == "cpu"
    assert 1e8 < roof.bytes_per_second < 1e13
    assert 1e8 < roof.flops_per_second < 1e15


def test_roofline_needs_a_device_that_computes():
    with pytest.raises(ValueError, match="meta tensors compute nothing"):
        roofline("meta")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="finds no GPU"):
            roofline("cuda")


def test_energy_by_hand():
    """ISSCC 2014: 3.7 + 0.9 pJ for a float32 MAC, 1.1 + 0.4 for float16, 1.3 to 2.6 nJ for 8 bytes of DRAM."""
    result = count(nn.Linear(256, 8, bias=False), x)
    spent = energy(result)
    assert spent.compute == pytest.approx(64 * 256 * 8 * 4.6e-12)
    moved = 4 * (64 * 256 + 256 * 8 + 64 * 8)
    assert spent.memory_low == pytest.approx(moved * 1.3e-9 / 8)
    assert spent.memory_high == pytest.approx(moved * 2.6e-9 / 8)
    half = energy(count(nn.Linear(256, 8, bias=False).half(), x.half()))
    assert half.compute == pytest.approx(64 * 256 * 8 * 1.5e-12)
    assert "estimated: 45 nm, Horowitz 2014" in str(result)


def test_energy_of_mixed_and_unknown_types():
    def mixed(x):
        return x @ x.t(), x.half() @ x.half().t()

    result = count(mixed, x)
    assert result.macs_by_dtype == {"float32": 64 * 64 * 256, "float16": 64 * 64 * 256}
    assert energy(result).compute == pytest.approx(64 * 64 * 256 * (4.6 + 1.5) * 1e-12)
    wide = count(lambda x: x @ x.t(), x.double())
    with pytest.raises(ValueError, match="no float64; it has float32, float16, int32, int8"):
        energy(wide)
    assert "Horowitz" not in str(wide)
