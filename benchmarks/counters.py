"""Who counts right? Every case of `counters_cases.py` through our counter and the known tools.

    python benchmarks/counters.py [--out FILE]

The tools are used where they are installed: fvcore, thop, ptflops, torchinfo, torchprofile, calflops (`pip install
--no-deps` is enough for most; none is needed for the rest). Each is configured in its own favour: what it adds for
normalisation and activation, which is zero by our convention, is switched off where it can be, and FLOPs are
halved where a tool reports FLOPs. Prints who is exact and writes all numbers as JSON. Exit status 1 if ours is
not exact in every case, on the CPU and on meta tensors.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import multiprocessing
import platform
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from counters_cases import CASES, Case
from counters_kernel_cases import PVCNN, kernel_cases
from counters_parts import Call, resnet50
from torch import Tensor, nn

from efficientlab.counters import Comparison, compare, count
from efficientlab.counters.text import table
from efficientlab.files import write_text

FORK = multiprocessing.get_context("fork")
RESULTS = Path(__file__).parent / "results" / "counters-cpu.json"
NORMS = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm, nn.LayerNorm, nn.GroupNorm)
Tool = Callable[[nn.Module, tuple[Any, ...], bool], int | None]
"""MACs of a model and its inputs, with or without backward; None where a tool cannot do backward passes."""


def ours(model: nn.Module, inputs: tuple[Any, ...], backward: bool) -> int | None:
    result = count(model, *inputs, backward=backward)
    return result.macs if result.complete else -1


def torch_counter(model: nn.Module, inputs: tuple[Any, ...], backward: bool) -> int | None:
    from torch.utils.flop_counter import FlopCounterMode

    with torch.set_grad_enabled(backward), FlopCounterMode(display=False) as counter:
        output = model(*inputs)
        if backward:
            output = output[0] if isinstance(output, tuple) else output
            output.backward(torch.ones_like(output))
    return counter.get_total_flops() // 2


def fvcore(model: nn.Module, inputs: tuple[Any, ...], backward: bool) -> int | None:
    from fvcore.nn import FlopCountAnalysis

    if backward:
        return None
    analysis = (
        FlopCountAnalysis(model, inputs).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    )
    by_operator = analysis.by_operator()  # it calls a multiply-add one FLOP
    return int(sum(macs for name, macs in by_operator.items() if "norm" not in name))


def thop(model: nn.Module, inputs: tuple[Any, ...], backward: bool) -> int | None:
    from thop import profile

    if backward:
        return None
    kinds = {type(m) for m in model.modules()}
    uncounted = dict.fromkeys([k for k in kinds if issubclass(k, NORMS)])
    return int(profile(model, inputs, custom_ops=uncounted, verbose=False)[0])


def ptflops(model: nn.Module, inputs: tuple[Any, ...], backward: bool) -> int | None:
    from ptflops import get_model_complexity_info

    if backward:
        return None

    packed = Call(lambda batch: model(*batch), model)
    macs, _ = get_model_complexity_info(
        packed, (1,), input_constructor=lambda _: inputs, as_strings=False, print_per_layer_stat=False, backend="aten"
    )  # fmt: skip
    return int(macs)


def torchinfo(model: nn.Module, inputs: tuple[Any, ...], backward: bool) -> int | None:
    from torchinfo import summary

    if backward:
        return None
    layers = summary(model, input_data=inputs, verbose=0).summary_list
    return sum(x.macs for x in layers if x.is_leaf_layer and not isinstance(x.module, NORMS))


def torchprofile(model: nn.Module, inputs: tuple[Any, ...], backward: bool) -> int | None:
    from torchprofile import profile_macs

    if backward:
        return None
    by_node = profile_macs(model, inputs, reduction=None)
    uncounted = ("norm", "::mul")  # element-wise aten::mul
    return int(sum(macs for node, macs in by_node.items() if not node.operator.endswith(uncounted)))


def calflops(model: nn.Module, inputs: tuple[Any, ...], backward: bool) -> int | None:
    from calflops import calculate_flops

    if backward:
        return None
    packed = Call(lambda *x: model(*x), model, nn.Linear(1, 1))  # it fails on a model without parameters
    _, macs, _ = calculate_flops(packed, args=list(inputs), output_as_string=False, print_results=False)
    return int(macs)


TOOLS: dict[str, Tool] = {
    "ours": ours, "torch": torch_counter, "fvcore": fvcore, "ptflops": ptflops, "torchprofile": torchprofile,
    "calflops": calflops, "thop": thop, "torchinfo": torchinfo,
}  # fmt: skip


def verdict(tool: Tool, case: Case, device: str) -> int | str | None:
    """MACs by a tool; None where it does not do backward passes, a word where it fails."""
    try:
        model, inputs = case.make(device)
        silence = io.StringIO()
        with (
            contextlib.redirect_stdout(silence),
            contextlib.redirect_stderr(silence),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            return tool(model, inputs, case.backward)
    except Exception as error:  # a tool that fails on a model is a result
        return f"fails: {type(error).__name__}"


def apart(tool: Tool, case: Case, device: str = "cpu") -> int | str | None:
    """The verdict of a process of its own: some tools leave torch patched when they fail."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = FORK.Process(target=lambda: sender.send(verdict(tool, case, device)))
    child.start()
    answer = receiver.recv() if receiver.poll(60) else "fails: no answer in 60 s"
    child.kill()
    child.join()
    return answer


def cell(macs: int | str | None, expected: int) -> str:
    """'=' where exact, else the factor by which a tool is off."""
    if isinstance(macs, str):
        return macs.split(":")[0]
    if macs is None:
        return "–"
    if macs == expected:
        return "="
    return f"×{macs / expected:.3g}" if expected else f"+{macs}"


def installed(tool: str) -> str | None:
    """Version of a tool that can be imported, which is done here, once for all cases."""
    package = "efficientlab" if tool == "ours" else tool
    try:
        importlib.import_module("fvcore.nn" if tool == "fvcore" else package)
    except ImportError:
        return None
    return version(package)


def overheads() -> dict[str, Comparison]:
    """Time of `count` beside a plain forward pass, for a large and a small model."""
    torch.manual_seed(0)
    models = {
        "ResNet-50, 1 × 224²": (resnet50().eval(), torch.randn(1, 3, 224, 224)),
        "PVCNN-like, 2 × 2048 points": (PVCNN().eval(), torch.rand(2, 3, 2048)),
    }

    def forward(model: nn.Module, x: Tensor) -> None:
        with torch.no_grad():
            model(x)

    return {
        name: compare({"forward": partial(forward, *case), "count": partial(count, *case)}, rounds=12)
        for name, case in models.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to write the JSON")
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    tools = [name for name in TOOLS if installed(name)]
    results = []
    cases = [*CASES, *kernel_cases()]
    for case in cases:
        found = {name: apart(TOOLS[name], case) for name in tools}
        found["ours on meta"] = apart(ours, case, "meta") if case.meta else None
        results.append({"case": case.name, "macs": case.macs, "backward": case.backward, **found})
    columns = ["ours", "ours on meta", *tools[1:]]
    rows = [[r["case"], f"{r['macs']:,}", *(cell(r[c], r["macs"]) for c in columns)] for r in results]
    exact = {c: sum(r[c] == r["macs"] for r in results) for c in columns}
    asked = {c: sum(r[c] is not None for r in results) for c in columns}
    rows.append([f"exact of {len(cases)}", "", *(f"{exact[c]}" for c in columns)])
    print(
        table(
            ["case", "MACs", *columns],
            rows,
            "MACs derived by hand; = exact, ×f off by a factor, – not possible",
        )
    )
    spent = overheads()
    for name, result in spent.items():
        print(f"count() of {name}: {result.ratio['count']} × a plain forward pass of {result['forward']}")
    record = {
        "date": date.today().isoformat(), "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(), "versions": {name: installed(name) for name in tools},
        "exact": exact, "asked": asked, "cases": results,
        "overhead_of_count": {name: asdict(result.ratio["count"]) for name, result in spent.items()},
    }  # fmt: skip
    write_text(out, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return 0 if exact["ours"] == len(cases) and exact["ours on meta"] == asked["ours on meta"] else 1


if __name__ == "__main__":
    sys.exit(main())
