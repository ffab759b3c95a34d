"""Values survive the wire; what is malformed or too large is refused."""

import io

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from efficientlab.exercises.contract import close
from efficientlab.grading import wire

SHAPES = st.lists(st.integers(0, 4), max_size=3)
PLAIN = st.one_of(st.integers(-(2**60), 2**60), st.floats(), st.booleans(), st.text(max_size=20))


def received(data: bytes) -> tuple[dict, dict]:
    stream = io.BytesIO(data)

    def read(size: int) -> bytes:
        part = stream.read(size)
        if len(part) < size:
            raise EOFError
        return part

    return wire.receive(read)


@settings(deadline=None, max_examples=40)
@given(
    shape=SHAPES, plain=PLAIN, dtype=st.sampled_from([torch.float32, torch.float64, torch.int64, torch.bool])
)
def test_a_message_comes_back_as_it_was_sent(shape: list[int], plain: object, dtype: torch.dtype) -> None:
    tensor = torch.randn(shape).to(dtype)
    header, values = received(wire.pack({"exercise": "4.1"}, {"x": tensor, "plain": plain}))
    assert header == {"exercise": "4.1"}
    assert values["x"].dtype == dtype
    assert torch.equal(values["x"], tensor)
    assert close(plain, values["plain"], 0.0, 0.0)


def test_views_of_one_storage_can_be_sent() -> None:
    x = torch.arange(6.0).view(2, 3)
    _, values = received(wire.pack({}, {"x": x, "transposed": x.T}))
    assert torch.equal(values["transposed"], x.T)


def test_a_huge_length_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="over the limit"):
        received(b"\xff" * 8)


@pytest.mark.parametrize(
    "data", [b"\x02\0\0\0\x02\0\0\0{}ab", b"\x02\0\0\0\0\0\0\0[]", b"\x01\0\0\0\x01\0\0\0xx"]
)
def test_malformed_messages_are_value_errors(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"message|utf|JSON|Expecting|codec|header"):
        received(data)
