"""Ahead-of-time compilation of every Triton kernel for the GPUs that matter; no GPU is needed.

An op adds the specialisations of its kernels to SPECIALISATIONS. Each is compiled for T4 (sm_75), A100 (80),
L4 (89) and H100 (90), and must use no stack (nothing spills) and, on T4, at most 48 KB of shared memory.
test_aot.py runs this file in a process of its own; `EFFICIENTLAB_AOT=1 pytest -s tests/kernels/compile_ahead.py`
prints the table.
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

triton = pytest.importorskip("triton")

from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402

from efficientlab.kernels import (  # noqa: E402
    augment,
    bev,
    gather,
    means,
    shift,
    shifted_conv,
    voxel,
)
from efficientlab.kernels.backend import Kernel  # noqa: E402
from efficientlab.kernels.points import farthest, near  # noqa: E402
from efficientlab.kernels.sparse import conv  # noqa: E402

TURING, AMPERE, ADA, HOPPER = 75, 80, 89, 90


@dataclass(frozen=True)
class Specialisation:
    """A kernel with the types of its arguments.

    types: Triton's type of each argument that varies ("*fp16", "i32"); with the suffix ":16" it is divisible
        by 16, as Triton's launcher finds out for pointers and integers.
    constants: values of the constexpr arguments, and of arguments that are 1 or None.
    instruction: SASS that must be there, e.g. tensor-core products.
    """

    kernel: Kernel
    types: dict[str, str]
    constants: dict[str, object]
    targets: tuple[int, ...] = (TURING, AMPERE, ADA, HOPPER)
    instruction: str = ""
    options: dict[str, int] = field(default_factory=dict)


def _shift(dtype: str, vector: int) -> Specialisation:
    integers = ("fold", "frame", "period")
    return Specialisation(
        shift._shift_kernel,
        {"x": f"*{dtype}:16", "y": f"*{dtype}:16", "n_frames": "i32"} | dict.fromkeys(integers, "i32:16"),
        {"first": 1, "second": -1, "VECTOR": vector, "BLOCK": shift._BLOCK},
        instruction=r"LDG\.E\.128" if vector > 1 else "",
    )


def _shifted_conv(dtype: str, last: bool) -> Specialisation:
    unit, step = ("channel", "pixel") if last else ("pixel", "channel")
    names = ("fold", "channels", "outputs", "pixels", f"x_{step}", f"y_{step}")
    return Specialisation(
        shifted_conv._conv_kernel,
        {"x": f"*{dtype}:16", "weight": f"*{dtype}:16", "y": f"*{dtype}:16", "n_frames": "i32"}
        | dict.fromkeys(names, "i32:16"),
        {"bias": None, "first": 1, "second": -1, f"x_{unit}": 1, f"y_{unit}": 1, "PRECISION": "tf32"}
        | {"VECTOR": 16 if last else 1}
        | shifted_conv._TILE,
        targets=(AMPERE, ADA, HOPPER),  # T4 takes the path without tl.dot
        instruction="[HG]MMA",
    )


def _bag(dtype: str, size: int, weighted: bool) -> Specialisation:
    columns = 64
    return Specialisation(
        gather._bag_kernel,
        {"x": f"*{dtype}:16", "y": f"*{dtype}:16", "weight": "*fp32:16"}
        | dict.fromkeys(("index", "ends"), "*i32:16")
        | dict.fromkeys(("rows", "channels"), "i32:16"),
        {"SIZE": size, "WEIGHTED": weighted, "ROWS": gather._TILE // columns, "COLUMNS": columns},
        instruction=r"LDG\.E\.128",
    )


def _mean(dtype: str) -> Specialisation:
    columns = 64
    return Specialisation(
        means._mean_kernel,
        {"y": f"*{dtype}:16", "out": f"*{dtype}:16"}
        | dict.fromkeys(("source", "ends"), "*i32:16")
        | dict.fromkeys(("rows", "channels"), "i32:16"),
        {"ROWS": means._TILE // columns, "COLUMNS": columns},
        instruction=r"LDG\.E\.128",
    )


def _corners() -> Specialisation:
    return Specialisation(
        voxel._corners_kernel,
        {"coords": "*fp32:16", "index": "*i32:16", "share": "*fp32:16"}
        | dict.fromkeys(("total", "points", "resolution"), "i32:16"),
        {"BLOCK": voxel._BLOCK},
        instruction=r"STG\.E\.128",
    )


def _augment(dtype: str, **mode: bool) -> Specialisation:
    sums = "*fp32:16"
    pointers = {"color": sums, "places": "*i64:16", "mean": sums, "x": f"*{dtype}:16"}
    sizes = ("height", "width", "cut_height", "cut_width", "channel_stride")
    return Specialisation(
        augment._augment_kernel,
        pointers
        | {"y": sums if mode["SUM"] else f"*{dtype}:16", "channels": "i32"}
        | dict.fromkeys(sizes, "i32:16"),
        {"pixel_stride": 1, "CHANNELS": 4, "BLOCK": augment._BLOCK} | mode,
    )


def _dot(dtype: str) -> Specialisation:
    rows = {"features": f"*{dtype}:16", "cells": f"*{dtype}:16", "out": f"*{dtype}:16", "cell": "*i32:16"}
    return Specialisation(
        bev._dot_kernel,
        rows | {"points": "i32", "depths": "i32", "channels": "i32:16"},
        {"POINTS": bev._POINTS, "CHANNELS": bev._CHANNELS},
    )


def _sparse_conv(dtype: str) -> Specialisation:
    return Specialisation(
        conv._conv_kernel,
        {"x": f"*{dtype}:16", "weight": f"*{dtype}:16", "y": f"*{dtype}:16", "rows": "i32"}
        | dict.fromkeys(("order", "table"), "*i32:16")
        | dict.fromkeys(("channels", "outputs"), "i32:16"),
        {"OFFSETS": 27, "PRECISION": "tf32"} | conv._TILE,
        targets=(AMPERE, ADA, HOPPER),  # T4 takes the blocked dataflow
        instruction="[HG]MMA",
    )


def _sample(block: int) -> Specialisation:
    return Specialisation(
        farthest._sample_kernel,
        {"points": "*fp32:16", "chosen": "*i64:16", "count": "i32:16", "samples": "i32:16"},
        {"BLOCK": block},
        options={"num_warps": min(32, block // 256)},
    )


def _neighbours(kernel: Kernel, results: dict[str, str], block: int, warps: int) -> Specialisation:
    return Specialisation(
        kernel,
        dict.fromkeys(("points", "centres"), "*fp32:16")
        | results
        | dict.fromkeys(("count", "n_centres", "neighbours"), "i32:16"),
        {"BLOCK": block},
        options={"num_warps": warps},
    )


SPECIALISATIONS = {
    "farthest point sampling, 2048": _sample(2048),
    "farthest point sampling, 8192": _sample(farthest._MOST_POINTS),
    "ball query": _neighbours(near._ball_kernel, {"limit": "*fp32:16", "found": "*i64:16"}, near._CENTRES, 1),
    "nearest neighbours": _neighbours(
        near._nearest_kernel, {"index": "*i64:16", "distance": "*fp32:16"}, near._POINTS, 4
    ),
    "sparse conv fp16": _sparse_conv("fp16"),
    "sparse conv fp32": _sparse_conv("fp32"),
    "bags of 8 rows, weighted, fp16": _bag("fp16", 8, True),
    "bags of 8 rows, weighted, fp32": _bag("fp32", 8, True),
    "bags of any size, weighted, fp32": _bag("fp32", 0, True),
    "means of rows, fp16": _mean("fp16"),
    "means of rows, fp32": _mean("fp32"),
    "bags of any size, plain, fp16": _bag("fp16", 0, False),
    "trilinear corners": _corners(),
    "shift fp16": _shift("fp16", 16),
    "shift fp32": _shift("fp32", 16),
    "shift fp32, odd sizes": _shift("fp32", 1),
    "shifted conv fp16, contiguous": _shifted_conv("fp16", last=False),
    "shifted conv fp16, channels_last": _shifted_conv("fp16", last=True),
    "shifted conv fp32, contiguous": _shifted_conv("fp32", last=False),
    "augment fp32": _augment("fp32", ADJOINT=False, SUM=False),
    "augment fp16, gradient": _augment("fp16", ADJOINT=True, SUM=False),
    "augment fp16, gradient's sum": _augment("fp16", ADJOINT=True, SUM=True),
    "bev pool's depth gradient, fp16": _dot("fp16"),
    "bev pool's depth gradient, fp32": _dot("fp32"),
}


def compile_for(specialisation: Specialisation, capability: int) -> tuple[str, dict[str, int]]:
    """(SASS, resources): registers, stack and shared bytes as the assembler reports them."""
    names = specialisation.kernel.jit.arg_names
    types = {name: t.removesuffix(":16") for name, t in specialisation.types.items()}
    attributes = {
        (names.index(name),): [["tt.divisibility", 16]]
        for name, t in specialisation.types.items()
        if t.endswith(":16")
    }
    signature = {name: types.get(name, "constexpr") for name in names}
    missing = set(names) - set(types) - set(specialisation.constants)
    assert not missing, f"arguments without a type or a value: {missing}"
    source = ASTSource(specialisation.kernel.jit, signature, specialisation.constants, attributes)
    target = GPUTarget("cuda", capability, 32)
    return inspect_cubin(triton.compile(source, target=target, options=specialisation.options))


def inspect_cubin(compiled) -> tuple[str, dict[str, int]]:
    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    cubin = Path(next(p for name, p in compiled.metadata_group.items() if name.endswith(".cubin")))

    def dump(option: str) -> str:
        return subprocess.run([tool, option, cubin], check=True, capture_output=True, text=True).stdout

    usage = re.search(r"REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)", dump("-res-usage"))
    registers, stack, static, local = map(int, usage.groups())
    shared = max(static, compiled.metadata.shared)
    return dump("-sass"), {"registers": registers, "stack": stack, "local": local, "shared": shared}


@pytest.mark.parametrize("name", SPECIALISATIONS)
def test_compiles_without_spills(name):
    specialisation = SPECIALISATIONS[name]
    for capability in specialisation.targets:
        sass, used = compile_for(specialisation, capability)
        print(f"{name:36} sm_{capability} " + " ".join(f"{k} {v:6d}" for k, v in used.items()))
        assert not re.search(r"\b(STL|LDL)\b", sass), (
            "registers are spilled: stored to local memory, and loaded again"
        )
        assert used["local"] == 0
        if capability == TURING:
            assert used["shared"] <= 48 * 1024
            assert "MMA" not in sass, "tl.dot must not be selectable on sm_75"
        if specialisation.instruction:
            assert re.search(specialisation.instruction, sass), f"no {specialisation.instruction}"
