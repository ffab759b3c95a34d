"""What autograd complains of is said in the exercise's words."""

from __future__ import annotations

import pytest
import torch

from efficientlab.exercises.contract import AnswerError
from efficientlab.exercises.gradients import gradient


def test_what_was_changed_in_place_before_its_gradient_is_said_so() -> None:
    leaf = torch.rand(3).requires_grad_()
    kept = leaf.exp()  # its gradient is itself
    y = kept.sum()
    kept.mul_(2)
    with pytest.raises(AnswerError, match="in place") as caught:
        gradient(y, leaf)
    assert caught.value.kind == "Returned"


def test_other_faults_of_autograd_stay_as_they_are() -> None:
    leaf = torch.rand(3).requires_grad_()
    with pytest.raises(RuntimeError, match="implicitly"):
        gradient(leaf * 2, leaf)
