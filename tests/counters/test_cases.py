"""The hand-derived cases of the benchmark, and figures that are published or can be brute-forced."""

import sys
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.counters import count
from efficientlab.counters.attention import causal_pairs
from efficientlab.counters.formulas import MAC_FORMULAS

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from counters_cases import CASES
from counters_kernel_cases import kernel_cases
from counters_parts import cyclegan_generator, cyclegan_macs, resnet50

quick = settings(deadline=None, max_examples=25)


@pytest.mark.parametrize("case", [*CASES, *kernel_cases()], ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore:LSTM with projections", "ignore:Sparse", "ignore:enable_nested_tensor")
def test_case_is_exact_on_cpu_and_meta(case):
    for device in ["cpu", "meta"] if case.meta else ["cpu"]:
        model, inputs = case.make(device)
        result = count(model, *inputs, backward=case.backward)
        assert (result.macs, result.not_counted) == (case.macs, ()), device
        assert result.flops == 2 * case.macs


def test_published_figures():
    with torch.device("meta"):
        resnet = count(resnet50(), torch.empty(1, 3, 224, 224))
        cyclegan = count(cyclegan_generator(), torch.empty(1, 3, 256, 256))
    assert (resnet.macs, resnet.params) == (4_089_184_256, 25_557_032)
    assert cyclegan.macs == cyclegan_macs(256) == 49_551_507_456
    at_output_size = 3 * sum(cyclegan[name].macs for name in _transposed(cyclegan))  # ×4 in place of ×1
    assert cyclegan.macs + at_output_size == 56_799_264_768  # the 56.8 G of the literature


def _transposed(measurement):
    return [row.name for row in measurement.rows if row.kind == "ConvTranspose2d"]


convolutions = st.tuples(
    st.integers(1, 3), st.sampled_from([1, 2, 4]), st.integers(1, 3), st.integers(1, 3),
    st.integers(1, 2), st.integers(1, 2), st.integers(0, 2), st.booleans(),
)  # fmt: skip


@quick
@given(convolutions)
def test_convolution_matches_a_count_of_its_products(config):
    """N·|y|·(C_in/g)·k for a convolution, and the same with x for a transposed one, of 1 to 3 dimensions."""
    dims, groups, per_group, kernel, stride, dilation, padding, transposed = config
    kinds = [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d] if transposed else _CONVS
    channels, out = groups * per_group, groups * 2
    conv = kinds[dims - 1](
        channels,
        out,
        kernel,
        stride=stride,
        padding=min(padding, kernel - 1),
        dilation=dilation,
        groups=groups,
    )
    x = torch.randn(2, channels, *[7] * dims, requires_grad=True)
    y = conv(x)
    products = x.numel() * 2 * kernel**dims if transposed else y.numel() * per_group * kernel**dims
    assert count(conv, x).macs == products
    assert count(conv, x, backward=True).macs == 3 * products
    assert count(conv, x.detach(), backward=True).macs == 2 * products


_CONVS = [nn.Conv1d, nn.Conv2d, nn.Conv3d]


@quick
@given(st.integers(0, 9), st.integers(0, 9))
def test_causal_pairs_counts_the_mask(queries, keys):
    assert causal_pairs(queries, keys) == int(torch.ones(queries, keys).tril().sum())


@quick
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**16), st.booleans())
def test_sparse_products_match_brute_force(m, k, n, seed, both):
    generator = torch.Generator().manual_seed(seed)
    a = (torch.rand(m, k, generator=generator) < 0.4).float()
    b = (torch.rand(k, n, generator=generator) < 0.4).float()
    right = b if both else torch.ones_like(b)
    expected = sum(bool(a[i, j] and right[j, c]) for i, j, c in product(range(m), range(k), range(n)))
    for convert in (torch.Tensor.to_sparse_csr, torch.Tensor.to_sparse_coo):
        left, other = convert(a), convert(b) if both else b
        assert count(lambda left=left, other=other: left @ other).macs == expected


def test_dense_models_agree_with_torchs_counter():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.ConvTranspose2d(8, 4, 2), nn.Flatten(), nn.Linear(324, 5)
    )
    x = torch.randn(2, 3, 10, 10)
    with FlopCounterMode(display=False) as theirs:
        model(x).sum().backward()
    assert count(model, x, backward=True).flops == theirs.get_total_flops()


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("variant", ["dropout", "unbatched heads", "float64", "wider values"])
def test_causal_attention_is_half_on_every_path(device, variant):
    q = torch.randn(2, 3, 6, 4, device=device)
    q = {"unbatched heads": q[0], "float64": q.double()}.get(variant, q)
    v = torch.cat([q, q], -1) if variant == "wider values" else q
    dropout = 0.1 if variant == "dropout" else 0.0
    result = count(lambda: F.scaled_dot_product_attention(q, q, v, dropout_p=dropout, is_causal=True))
    heads = 3 if variant == "unbatched heads" else 6
    assert result.macs == heads * (6 * 7 // 2) * (4 + v.shape[-1])


def test_backward_of_unfused_causal_attention_is_half_as_well():
    q = torch.randn(2, 3, 6, 4, device="meta", requires_grad=True)
    result = count(lambda q: F.scaled_dot_product_attention(q, q, q, is_causal=True), q, backward=True)
    assert result.macs_forward == 6 * 21 * 8
    assert result.macs_backward == 2 * result.macs_forward


def test_padding_mask_of_the_nested_fast_path_counts_real_tokens():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 2).eval()
    x, mask = torch.randn(2, 6, 16), torch.zeros(2, 6, dtype=torch.bool)
    mask[0, 4:] = True  # lengths 4 and 6
    layer = (4 + 6) * (4 * 16 * 16 + 2 * 16 * 32) + (4**2 + 6**2) * 2 * 16
    assert count(lambda x: encoder(x, src_key_padding_mask=mask), x).macs == 2 * layer


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_causal_encoder_is_one_number(mode):
    """The fused operator of evaluation receives the mask alone; E = 256, L = 1,024, two layers."""
    length, e, mlp = 1024, 256, 1024
    layer = nn.TransformerEncoderLayer(e, 4, mlp, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    getattr(encoder, mode)()
    mask = nn.Transformer.generate_square_subsequent_mask(length)
    by_hand = 2 * (length * (4 * e * e + 2 * e * mlp) + length * (length + 1) // 2 * 2 * e)
    assert by_hand == 2_148_007_936
    x = torch.randn(1, length, e)
    assert count(encoder, x, mask).macs == by_hand
    assert count(lambda x: encoder(x, mask=mask, is_causal=True), x).macs == by_hand


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_torchs_own_causal_masks_are_causal(device):
    """A subclass of Tensor asks whether it is called for F.scaled_dot_product_attention, and is no mask itself."""
    from torch.nn.attention.bias import causal_lower_right, causal_upper_left  # with them comes torch.compile

    q, k = torch.randn(2, 3, 3, 4, device=device), torch.randn(2, 3, 5, 4, device=device)
    seen = []

    def attend(k, mask):
        seen.append(F.scaled_dot_product_attention(q, k, k, attn_mask=mask))
        return seen[-1]

    for mask, keys, pairs in (
        (causal_upper_left(3, 5), 5, 1 + 2 + 3),
        (causal_lower_right(3, 3), 3, 1 + 2 + 3),
        (causal_lower_right(3, 5), 5, 3 * 5),  # torch makes a dense mask of it
    ):
        assert count(attend, k[:, :, :keys], mask).macs == 6 * pairs * 8
        if device == "cpu":
            torch.testing.assert_close(seen[-1], attend(k[:, :, :keys], mask._materialize()))


E, HEADS, LENGTH = 16, 4, 6
TRIANGLE, SQUARE = LENGTH * (LENGTH + 1) // 2, LENGTH * LENGTH


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize(
    ("call", "pairs"),
    [
        ("is_causal", TRIANGLE), ("mask of booleans", TRIANGLE), ("mask alone", SQUARE), ("nothing", SQUARE),
        ("padding too", SQUARE), ("attention", TRIANGLE), ("attention, weights", SQUARE),
    ],
)  # fmt: skip
def test_fast_path_counts_like_the_slow_one(device, mode, call, pairs):
    layer = nn.TransformerEncoderLayer(E, HEADS, 2 * E, batch_first=True, device=device)
    getattr(layer, mode)()
    x = torch.randn(1, LENGTH, E, device=device)
    mask = nn.Transformer.generate_square_subsequent_mask(LENGTH, device=device)
    calls = {
        "is_causal": lambda x: layer(x, mask, is_causal=True),
        "mask of booleans": lambda x: layer(x, mask.bool(), is_causal=True),
        "mask alone": lambda x: layer(x, src_mask=mask),
        "nothing": layer,
        "padding too": lambda x: layer(
            x, mask, torch.zeros(1, LENGTH, dtype=torch.bool, device=device), is_causal=True
        ),
        "attention": lambda x: layer.self_attn(x, x, x, None, False, mask, is_causal=True),
        "attention, weights": lambda x: layer.self_attn(x, x, x, attn_mask=mask, is_causal=True),
    }
    mlp = 0 if "attention" in call else LENGTH * 2 * E * 2 * E
    assert count(calls[call], x).macs == LENGTH * 4 * E * E + pairs * 2 * E + mlp


@pytest.mark.parametrize(
    ("mode", "shape", "corners"),
    [("linear", (1, 2, 5), 2), ("bilinear", (1, 2, 5, 5), 4), ("trilinear", (1, 2, 5, 5, 5), 8),
     ("bicubic", (1, 2, 5, 5), 16), ("nearest", (1, 2, 5, 5), 0)],
)  # fmt: skip
def test_interpolation_is_a_mac_per_corner(mode, shape, corners):
    x = torch.randn(shape, requires_grad=True)
    result = count(lambda x: F.interpolate(x, scale_factor=2, mode=mode), x, backward=True)
    fine = x.numel() * 2 ** (len(shape) - 2)
    assert (result.macs_forward, result.macs_backward) == (corners * fine, corners * fine)


def test_grid_sample():
    x, grid = torch.randn(1, 3, 6, 6, requires_grad=True), torch.rand(1, 4, 5, 2, requires_grad=True)
    result = count(lambda x, grid: F.grid_sample(x, grid, align_corners=True), x, grid, backward=True)
    assert result.macs_forward == 4 * (3 * 4 * 5)
    assert result.macs_backward == 4 * (3 * 4 * 5) * (1 + 2)


def test_matrix_variants():
    a, b, x, y = torch.randn(4, 5), torch.randn(5, 6), torch.randn(5), torch.randn(5)
    assert count(lambda: x @ y).macs == 5
    assert count(lambda: a @ x).macs == 20
    assert count(lambda: torch.addr(torch.zeros(5, 5), x, y)).macs == 25
    assert count(lambda: torch.addmm(torch.zeros(6), a, b)).macs == 120
    assert (
        count(lambda: torch.baddbmm(torch.zeros(3, 4, 6), a.expand(3, 4, 5), b.expand(3, 5, 6))).macs == 360
    )
    assert count(lambda: torch.mm(a, b, out=torch.empty(0))).macs == 120
    assert count(lambda: torch.sparse.sampled_addmm(torch.eye(4).to_sparse_csr(), a, b[:, :4])).macs == 4 * 5


def complex_randn(*shape):
    return torch.randn(*shape, dtype=torch.complex64)


def real_and_imaginary(z):
    """The real matrix [2m, 2k] by which a complex z[m, k] multiplies."""
    return torch.cat([torch.cat([z.real, -z.imag], 1), torch.cat([z.imag, z.real], 1)])


def test_a_complex_product_is_four_real_ones():
    a, b = complex_randn(4, 8), complex_randn(8, 5)
    as_real = real_and_imaginary(a) @ torch.cat([b.real, b.imag])
    torch.testing.assert_close(as_real, torch.cat([(a @ b).real, (a @ b).imag]))
    result = count(lambda: a @ b)
    assert result.macs == count(lambda: real_and_imaginary(a) @ torch.cat([b.real, b.imag])).macs == 640
    assert result.macs_by_dtype == {"float32": 640}
    assert "energy" in str(result)  # by the table for float32
    both = count(lambda a, b: a @ b, a.requires_grad_(), b.requires_grad_(), backward=True)
    assert (both.macs_forward, both.macs_backward) == (640, 1280)


@pytest.mark.filterwarnings("ignore:Sparse")
def test_complex_forms_of_a_product():
    a, b, v = complex_randn(4, 8), complex_randn(8, 5), complex_randn(8)
    assert count(lambda: v @ v).macs == count(lambda: torch.vdot(v, v)).macs == 4 * 8
    assert count(lambda: a @ v).macs == 4 * 32
    assert count(lambda: a @ a.mH).macs == 4 * 4 * 8 * 4
    assert count(lambda: torch.addr(complex_randn(8, 8), v, v)).macs == 4 * 64
    assert count(lambda: torch.bmm(a.expand(3, 4, 8), b.expand(3, 8, 5))).macs == 3 * 640
    assert count(lambda: torch.einsum("ij,jk->ik", a, b)).macs == 640
    assert count(lambda: torch.addmm(complex_randn(5), a, b)).macs == 640
    assert count(nn.Linear(8, 5, dtype=torch.complex64), a).macs == 640
    assert count(lambda: a.to_sparse() @ b).macs == 640
    assert count(lambda: a.cdouble() @ b.cdouble()).macs_by_dtype == {"float64": 640}
    assert (
        count(nn.Conv1d(8, 5, 1, dtype=torch.complex64), a.t()[None]).macs == 3 * 160
    )  # torch's three real ones


LENGTHS = (3, 5)


def nested(layout, channels=8, heads=()):
    return torch.nested.nested_tensor(
        [torch.randn(*heads, length, channels) for length in LENGTHS], layout=layout, requires_grad=True
    )


@pytest.mark.parametrize("layout", [torch.jagged, torch.strided], ids=["jagged", "strided"])
def test_nested_tensors_cost_their_real_tokens(layout):
    network = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.LayerNorm(6), nn.Linear(6, 2))
    result = count(network, nested(layout), backward=True)
    per_token = 8 * 6 + 6 * 2
    assert (result.macs_forward, result.macs_backward) == (8 * per_token, 2 * 8 * per_token)
    assert result.complete
    assert count(torch.relu, nested(layout), backward=True).macs == 0


def test_nested_attention_counts_pairs_within_a_sequence():
    def attention(x):
        q = x.unflatten(-1, [2, 4]).transpose(1, 2)
        return F.scaled_dot_product_attention(q, q, q)

    pairs = 3 * 3 + 5 * 5
    jagged = count(attention, nested(torch.jagged), backward=True)
    assert (jagged.macs_forward, jagged.macs_backward) == (2 * pairs * 8, 4 * pairs * 8)
    q = nested(torch.strided, 4, heads=(2,))
    strided = count(lambda q: F.scaled_dot_product_attention(q, q, q), q.detach())
    assert (strided.macs, strided.complete) == (2 * pairs * 8, True)


def test_formulas_of_operators_that_only_a_gpu_runs():
    """Called with what the operator itself would get; the counts are those of the same layer on a CPU."""
    aten = torch.ops.aten
    lstm, x = nn.LSTM(6, 8, 2, bidirectional=True), torch.randn(5, 3, 6)
    weights = list(lstm.parameters())
    setting = (2, 8, 0, 2, False, 0.0, True, True, [], None)  # LSTM mode, sizes, both directions
    expected = count(lstm, x).macs
    rnn = MAC_FORMULAS[aten._cudnn_rnn]
    assert rnn(x, weights, 4, None, None, None, *setting, result=None) == expected
    packed = (*setting[:-2], [3, 3, 2, 1, 1], None)  # 10 tokens of 15
    assert rnn(x.flatten(0, 1), weights, 4, None, None, None, *packed, result=None) * 15 == expected * 10
    gradients = (x, weights, 4, None, None, None, x, x, None, None, *setting, None)
    for of_weights in (True, False):
        mask = [True, True, True, of_weights]
        backward = MAC_FORMULAS[aten._cudnn_rnn_backward](*gradients, mask, result=None)
        assert backward == (1 + of_weights) * expected

    q, k, v = torch.empty(2, 3, 8, 4), torch.empty(2, 3, 5, 4), torch.empty(2, 3, 5, 6)
    for causal, pairs in ((True, 6 * 30), (False, 6 * 40)):  # rows of 1, 2, 3, 4, 5, 5, 5, 5 keys
        flash = MAC_FORMULAS[aten._scaled_dot_product_flash_attention]
        assert flash(q, k, v, 0.0, causal, result=None) == pairs * (4 + 6)
        efficient = MAC_FORMULAS[aten._scaled_dot_product_efficient_attention]
        assert efficient(q, k, v, None, True, 0.0, causal, result=None) == pairs * (4 + 6)
        back = MAC_FORMULAS[aten._scaled_dot_product_flash_attention_backward]
        seeds = (q, q, k, v, q, None, None, None, 8, 5, 0.0, causal, None, None)
        assert back(*seeds, result=None) == pairs * (3 * 4 + 2 * 6)
