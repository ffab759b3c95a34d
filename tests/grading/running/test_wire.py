"""Values survive the wire; what is malformed or too large is refused before memory is taken for it."""

import io
import json
import math
import struct

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from efficientlab.exercises.contract import close
from efficientlab.grading.running import wire

SHAPES = st.lists(st.integers(0, 4), max_size=3)
PLAIN = st.one_of(st.integers(-(2**60), 2**60), st.floats(), st.booleans(), st.text(max_size=20))
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.complex64]


def received(data: bytes, limit: int = wire.MAX_BYTES) -> tuple[dict, dict]:
    stream = io.BytesIO(data)

    def read(size: int) -> bytearray:
        part = bytearray(stream.read(size))
        if len(part) < size:
            raise EOFError
        return part

    return wire.receive(read, limit)


def message(header: object, body: bytes = b"") -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<QQ", len(head), len(body)) + head + body


@settings(deadline=None, max_examples=60)
@given(shape=SHAPES, plain=PLAIN, dtype=st.sampled_from(DTYPES))
def test_a_message_comes_back_as_it_was_sent(shape: list[int], plain: object, dtype: torch.dtype) -> None:
    tensor = torch.randn(shape).to(dtype)
    header, values = received(wire.pack({"exercise": "4.1"}, {"x": tensor, "plain": plain}))
    assert header == {"exercise": "4.1"}
    assert values["x"].dtype == dtype
    assert torch.equal(values["x"], tensor)
    assert close(plain, values["plain"], 0.0, 0.0)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_a_value_error_or_an_end(data: bytes, framed: bool) -> None:
    try:
        received(message(data) if framed else data)
    except (ValueError, EOFError):
        return
    pytest.fail("noise was taken for a message")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(arrays=JSON, plain=JSON, body=st.binary(max_size=16))
def test_any_json_gives_plain_values_or_a_value_error(arrays: object, plain: object, body: bytes) -> None:
    try:
        _, values = received(message({"arrays": arrays, "plain": plain}, body))
    except ValueError:
        return
    assert all(type(value) in (torch.Tensor, int, float, bool, str) for value in values.values())


def test_non_finite_numbers_travel() -> None:
    values = {"nan": math.nan, "inf": math.inf, "x": torch.tensor([math.nan, -math.inf])}
    _, got = received(wire.pack({}, values))
    assert math.isnan(got["nan"]) and got["inf"] == math.inf
    assert torch.equal(got["x"].isnan(), values["x"].isnan())


def test_views_of_one_storage_can_be_sent() -> None:
    x = torch.arange(6.0).view(2, 3)
    _, values = received(wire.pack({}, {"x": x, "transposed": x.T}))
    assert torch.equal(values["transposed"], x.T)


def test_a_subclass_becomes_a_plain_tensor() -> None:
    _, values = received(wire.pack({}, {"x": torch.nn.Parameter(torch.ones(2))}))
    assert type(values["x"]) is torch.Tensor


def test_a_boolean_that_is_neither_becomes_true() -> None:
    _, values = received(message({"arrays": [["x", "bool", [3]]], "plain": {}}, bytes([0, 7, 255])))
    assert values["x"].tolist() == [False, True, True]
    assert torch.equal(values["x"], torch.tensor([False, True, True]))


def test_a_view_larger_than_memory_is_refused_before_it_is_copied() -> None:
    with pytest.raises(ValueError, match="over 256,000,000 bytes"):
        wire.pack({}, {"x": torch.zeros(1).expand(10**15)})


@pytest.mark.parametrize(
    "value", [None, [1], object(), torch.eye(2).to_sparse(), torch.zeros(2, dtype=torch.float8_e5m2)]
)
def test_what_cannot_travel_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="the output 'x' is"):
        wire.pack({}, {"x": value})


def test_a_huge_length_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="over the limit"):
        received(b"\xff" * 16)
    with pytest.raises(ValueError, match="over the limit"):
        received(wire.pack({}, {"x": torch.zeros(100)}), limit=399)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (message(b"{}ab"), "Extra data"),
        (message([]), "no JSON object"),
        (message(b"[" * 100_000), "recursion"),
        (message(b'{"plain": {"n": ' + b"9" * 5000 + b"}}"), "digits"),
        (message({}), "arrays"),
        (message({"arrays": [], "plain": {"x": None}}), "NoneType"),
        (message({"arrays": [], "plain": {"x": [1]}}), "list"),
        (message({"arrays": [["x", "float32", [2]]], "plain": {}}, b"1234"), "not as long"),
        (message({"arrays": [["x", "float32", [-1]]], "plain": {}}), "sizes from 0"),
        (message({"arrays": [["x", "float32", [True]]], "plain": {}}), "sizes from 0"),
        (message({"arrays": [["x", "object", [0]]], "plain": {}}), "no dtype"),
        (message({"arrays": [["x", "float32", [0, 2**61, 2**61]]], "plain": {}}), "too large"),
        (message({"arrays": [["x", "float32", [0]]] * 2, "plain": {}}), "taken"),
        (message({"arrays": [["x", "float32", [0]]], "plain": {"x": 1}}), "two values"),
        (message({"arrays": [["x", "float32", [1] * 99]], "plain": {}}), "dimensions"),
        (message({"arrays": [[str(i), "int8", [0]] for i in range(5_000)], "plain": {}}), "at most 4096"),
    ],
)
def test_malformed_messages_are_value_errors(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        received(data)
