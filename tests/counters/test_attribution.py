"""Whose cost is it? Rows per module, forward and backward, however the module is called."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from efficientlab.counters import count


class Net(nn.Module):
    """A layer called twice, one reached under two names, one never called, one called in a loop."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(8, 8, bias=False)
        self.alias = self.stem
        self.head = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(8, 3, bias=False))
        self.idle = nn.Linear(8, 8)

    def forward(self, x):
        for _ in range(2):
            x = self.alias(x)
        return self.head(x) + (x @ x.t()).sum()


def test_rows_of_a_module():
    x = torch.randn(5, 8)
    result = count(Net(), x, backward=True)
    assert [row.name for row in result.rows] == ["", "stem", "head", "head.0", "head.1"]
    stem, head, linear = result["stem"], result["head"], result["head.1"]
    assert (stem.calls, head.calls, stem.kind, head.kind) == (2, 1, "Linear", "Sequential")
    assert stem.macs_forward == 2 * (5 * 8 * 8)
    assert stem.macs_backward == (2 + 1) * (5 * 8 * 8)  # the input of the first call needs no gradient
    assert (linear.macs_forward, linear.macs_backward) == (5 * 8 * 3, 2 * 5 * 8 * 3)
    assert (head.macs, head.params) == (linear.macs, 8 * 3)
    own = 3 * (5 * 8 * 5)  # x @ x.t(), forward and both gradients
    assert result.macs == result[""].macs == stem.macs + head.macs + own
    assert result.params == 8 * 8 + 8 * 3 + (8 * 8 + 8)
    assert result.param_bytes == 4 * result.params


def test_totals_are_the_sum_over_operators():
    result = count(Net(), torch.randn(5, 8), backward=True)
    for field in ("macs", "macs_backward", "bytes_read", "bytes_written"):
        assert getattr(result, field) == sum(getattr(op, field) for op in result.ops)
    assert result.ops[0].name in {"aten.mm", "aten.linear"}


def test_checkpoint_counts_the_second_forward_where_it_belongs():
    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Tanh())

        def forward(self, x):
            return checkpoint(self.body, x, use_reentrant=False)

    result = count(Checkpointed(), torch.randn(5, 8, requires_grad=True), backward=True)
    assert result["body.0"].macs_forward == 5 * 64
    assert result["body.0"].macs_backward == 3 * 5 * 64


def test_function_and_modules_that_it_calls():
    first, second = nn.Linear(4, 6), nn.Linear(6, 2)

    def two_layers(x):
        return second(first(x))

    result = count(two_layers, torch.randn(3, 4))
    assert [(row.name, row.macs) for row in result.rows] == [("", 108), ("Linear", 72), ("Linear_1", 36)]
    assert result.name == "two_layers"
    assert result.params == 30 + 14


def test_shared_parameters_count_once():
    tied = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    tied[1].weight = tied[0].weight
    assert count(tied, torch.randn(2, 4)).params == 16


@pytest.mark.slow
@pytest.mark.parametrize("wrap", [torch.compile, torch.jit.script], ids=["compile", "script"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_models_count_as_what_they_are(wrap):
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    plain, compiled = (count(m, torch.randn(2, 8), backward=True) for m in (model, wrap(model)))
    assert (compiled.macs, compiled.macs_backward) == (plain.macs, plain.macs_backward)
    assert compiled.complete
    if wrap is torch.compile:  # scripted code calls no hooks: there the whole has the only row
        assert compiled["0"].macs == plain["0"].macs


def test_ddp_counts_the_module_without_communication(monkeypatch):
    for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29507"}.items():
        monkeypatch.setenv(name, value)
    torch.distributed.init_process_group("gloo", rank=0, world_size=1)
    try:
        model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        wrapped = nn.parallel.DistributedDataParallel(model)
        x = torch.randn(2, 8)
        wrapped(x).sum().backward()
        assert count(wrapped, x, backward=True) == count(model, x, backward=True)
    finally:
        torch.distributed.destroy_process_group()


def test_modules_made_on_the_fly_and_recursion():
    class Tree(nn.Module):
        def __init__(self, depth):
            super().__init__()
            self.leaf = nn.Linear(2, 2, bias=False)
            self.depth = depth

        def forward(self, x, level=0):
            x = nn.Linear(2, 2, bias=False)(self.leaf(x))
            return self(x, level + 1) if level < self.depth else x

    result = count(Tree(2), torch.randn(1, 2))
    assert result.macs == 3 * 2 * 4
    assert result["leaf"].calls == 3
    assert result["leaf"].macs == 3 * 4
    assert result[""].macs == result.macs


def test_a_module_that_is_met_in_the_middle_of_a_run_costs_what_it_costs():
    """Taking note of its parameters is no work of the model, nor part of a functional transform around it."""
    layer = nn.Linear(8, 4)
    hidden, x = {"layer": layer}, torch.randn(2, 8)
    plain, met = count(layer, x), count(lambda x: hidden["layer"](x), x)
    for field in ("macs", "bytes_read", "bytes_written", "peak_activation_bytes", "complete"):
        assert getattr(met, field) == getattr(plain, field)
    rows = count(lambda x: torch.func.jacrev(lambda x: hidden["layer"](x))(x), x[0])
    assert (rows.macs, rows.complete) == (8 * 4 + 4 * (4 * 8), True)  # and a product for each row


def test_an_ensemble_by_vmap_counts_each_member_and_keeps_the_one_that_is_called():
    members = [nn.Linear(8, 4, bias=False) for _ in range(3)]
    weights, buffers = torch.func.stack_module_state(members)
    for held in (members, {"deeper": [members]}):
        before = members[0].weight

        def ensemble(x, held=held):
            first = members[0] if held is members else held["deeper"][0][0]
            return torch.vmap(lambda w: torch.func.functional_call(first, (w, buffers), (x,)))(weights)

        result = count(ensemble, torch.randn(2, 8))
        assert (result.macs, result.complete) == (3 * 2 * 32, True)
        assert members[0].weight is before
