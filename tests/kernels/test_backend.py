"""Which implementation runs, and that neither needs what a machine may lack."""

import subprocess
import sys

import pytest
import torch

from efficientlab.kernels import temporal_shift
from efficientlab.kernels.backend import BACKEND, use_triton


def test_cpu_tensors_go_to_torch(monkeypatch):
    monkeypatch.delenv(BACKEND, raising=False)
    assert not use_triton(torch.zeros(1))


def test_triton_on_the_cpu_needs_the_interpreter(monkeypatch):
    monkeypatch.setenv(BACKEND, "triton")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(RuntimeError, match="needs TRITON_INTERPRET=1"):
        temporal_shift(torch.zeros(2, 8, 1, 1), 2)


def test_an_unknown_choice_gets_one_sentence(monkeypatch):
    monkeypatch.setenv(BACKEND, "cuda")
    with pytest.raises(ValueError, match="must be torch, triton or unset, got 'cuda'"):
        use_triton(torch.zeros(1))


@pytest.mark.slow
def test_everything_works_where_triton_cannot_be_imported():
    program = """
import sys
sys.modules["triton"] = None  # what an import then finds: nothing
import torch, efficientlab.kernels as kernels
assert kernels.temporal_shift(torch.ones(2, 8, 1, 1), 2).sum() == 14
"""
    subprocess.run([sys.executable, "-c", program], check=True)
