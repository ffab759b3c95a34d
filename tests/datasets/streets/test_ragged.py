"""Rows of several scenes: the same as lists of tensors."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from efficientlab.datasets.streets.ragged import Ragged

sizes = st.lists(st.integers(0, 4), min_size=1, max_size=6)


def make(counts: list[int]) -> tuple[Ragged, list[torch.Tensor]]:
    rows = torch.arange(2.0 * sum(counts)).view(-1, 2)
    return Ragged(rows, torch.tensor(counts)), list(rows.split(counts))


@given(sizes, st.data())
def test_indexing_is_that_of_a_list(counts: list[int], data: st.DataObject) -> None:
    ragged, parts = make(counts)
    index = data.draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, max_size=5))
    chosen = ragged[torch.tensor(index)]
    assert all(torch.equal(a, parts[i]) for a, i in zip(chosen.unbind(), index, strict=True))
    assert len(chosen) == len(index)
    start = data.draw(st.integers(0, len(counts)))
    assert torch.equal(ragged[start:].rows, torch.cat([*parts[start:], torch.empty(0, 2)]))


@given(sizes, st.data())
def test_keeping_some_rows(counts: list[int], data: st.DataObject) -> None:
    ragged, parts = make(counts)
    keep = torch.tensor(data.draw(st.lists(st.booleans(), min_size=sum(counts), max_size=sum(counts)))).bool()
    expected = [part[k] for part, k in zip(parts, keep.split(counts), strict=True)]
    assert all(torch.equal(a, b) for a, b in zip(ragged.where(keep).unbind(), expected, strict=True))


def test_scenes_and_putting_together() -> None:
    parts = [torch.ones(2, 3), torch.zeros(0, 3), 5 * torch.ones(1, 3)]
    ragged = Ragged.of(parts)
    assert ragged.scene.tolist() == [0, 0, 2]
    assert torch.equal(ragged.to("cpu").rows, ragged.rows)
    with pytest.raises(ValueError, match="the sizes add up to 3, but there are 2 rows"):
        Ragged(torch.ones(2, 3), torch.tensor([3]))
    for wrong in (torch.tensor([3, -1]), torch.tensor([1.0, 1.0])):
        with pytest.raises(ValueError, match="sizes must be whole numbers from 0"):
            Ragged(torch.ones(2, 3), wrong)
