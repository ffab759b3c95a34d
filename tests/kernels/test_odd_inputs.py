"""What the public kernels say of dtypes, modes and arguments that nobody planned for."""

import pytest
import torch
import torch.nn.functional as F

from efficientlab.kernels import (
    BEVGrid,
    SparseTensor,
    avg_voxelize,
    bev_index,
    bev_pool,
    diff_augment,
    downsample,
    draw_augmentation,
    find_voxels,
    group,
    kernel_map,
    normalize_to_grid,
    occupied_voxels,
    point_to_voxel,
    shifted_pointwise_conv,
    sparse_conv,
    sparse_to_dense,
    temporal_shift,
    trilinear_devoxelize,
    voxel_to_point,
)

CUBE = torch.cartesian_prod(*[torch.arange(n) for n in (1, 4, 4, 4)]).int()  # (64, 4)
GRID = BEVGrid((0, 4, 1), (0, 4, 1), (0, 1))


# ----------------------------------------------------------------------------------------- coordinates


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int8, torch.int16, torch.uint16, torch.uint32, torch.uint64]
)
def test_keys_of_narrow_coordinates_do_not_wrap(dtype):
    """120 · 121² is more than 16 bits: a key in the dtype of the coordinates would be another voxel's."""
    coords = torch.tensor([[0, 0, 0, 0], [0, 120, 120, 120], [0, 1, 0, 7]], dtype=torch.int32)
    wanted = torch.tensor([[0, 120, 120, 120], [0, 1, 0, 7], [0, 1, 0, 8]]).to(dtype)
    assert find_voxels(coords, wanted).tolist() == [1, 2, -1]
    assert len(kernel_map(wanted, wanted, 3).source) == 3 + 2
    assert downsample(wanted, 2).tolist() == [[0, 0, 0, 3], [0, 0, 0, 4], [0, 60, 60, 60]]


def test_find_voxels_has_one_dtype_also_where_it_is_compiled():
    torch.library.opcheck(torch.ops.efficientlab.find_voxels.default, (CUBE, CUBE[:3].long()))


def test_dense_grids_of_every_shape():
    empty = torch.zeros(0, 4, dtype=torch.int32)
    assert sparse_to_dense(empty, torch.zeros(0, 2), (0, 2, 2, 2)).shape == (0, 2, 2, 2, 2)
    assert sparse_to_dense(CUBE[:1], torch.zeros(1, 0), torch.tensor([1, 2, 2, 2])).shape == (1, 0, 2, 2, 2)
    for shape, kind, sentence in (
        (5, ValueError, "shape must be"),
        ((1, 2, 3), ValueError, "shape must be"),
        ((1, 1, 1, 1.5), TypeError, "shape must be a whole number"),
        ((2**20,) * 4, ValueError, "larger than any memory"),
    ):
        with pytest.raises(kind, match=sentence):
            sparse_to_dense(CUBE[:1], torch.zeros(1, 1), shape)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: kernel_map(x, x, 3),
        lambda x: downsample(x, 2),
        lambda x: occupied_voxels(x.float()),
    ],
)
def test_meta_tensors_hold_no_coordinates(call):
    with pytest.raises(TypeError, match="meta device"):
        call(CUBE.to("meta"))


def test_clouds_are_normalised_on_meta_where_a_count_needs_it():
    assert normalize_to_grid(torch.zeros(2, 3, 5, device="meta"), 4).shape == (2, 3, 5)


# ------------------------------------------------------------------------------------------------ dtypes


@pytest.mark.parametrize("dtype", [torch.bool, torch.complex64, torch.uint16])
def test_coordinates_are_numbers(dtype):
    coords = torch.zeros(1, 3, 5).to(dtype)
    for call in (
        lambda: avg_voxelize(torch.zeros(1, 2, 5), coords, 4),
        lambda: trilinear_devoxelize(torch.zeros(1, 2, 4, 4, 4), coords),
        lambda: bev_index(torch.zeros(1, 1, 1, 1, 1, 3).to(dtype), GRID),
    ):
        with pytest.raises(TypeError, match=r"(coords|points) must be real numbers"):
            call()


def test_autocast_casts_what_torch_casts():
    x, weight = torch.rand(64, 4), torch.rand(27, 4, 6)
    pairs = kernel_map(CUBE, CUBE, 3)
    images, pointwise = torch.rand(8, 8, 4, 4), torch.rand(6, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for dtype in (torch.float32, torch.float16, torch.float64):
            expected = F.conv2d(images.to(dtype), pointwise.to(dtype)[:, :, None, None]).dtype
            assert sparse_conv(x.to(dtype), weight.to(dtype), pairs).dtype is expected
            assert shifted_pointwise_conv(images.to(dtype), pointwise.to(dtype), n_frames=8).dtype is expected
        with pytest.raises(TypeError, match="of one floating dtype"):
            sparse_conv(x.long(), weight, pairs)
        with pytest.raises(TypeError, match="of one floating dtype"):
            shifted_pointwise_conv(images.long(), pointwise, n_frames=8)


def test_features_are_dense_though_voxels_are_sparse():
    with pytest.raises(TypeError, match="must be dense"):
        SparseTensor(CUBE, torch.eye(64).to_sparse()).conv(torch.zeros(27, 64, 2))


@pytest.mark.parametrize(
    ("dtype", "large"), [(torch.float16, 6e4), (torch.bfloat16, 3e38), (torch.float32, 3e38)]
)
def test_a_mean_of_large_numbers_is_among_them(dtype, large):
    """A mask is often filled with the smallest number there is."""
    features = torch.tensor([large, large, -large, large, 1, torch.inf]).repeat(25).to(dtype)  # (150,)
    coords = torch.tensor([0.0, 0, 1, 0, 2, 3]).repeat(25)[None, None].repeat(1, 3, 1)
    mean = avg_voxelize(features[None, None], coords, 4)[0, 0]
    expected = torch.tensor([large, -large, 1, torch.inf]).to(dtype)
    torch.testing.assert_close(mean[range(4), range(4), range(4)], expected, rtol=1e-2, atol=0)


# ------------------------------------------------------------------------------------------------- modes


def test_what_evaluation_finds_serves_training():
    with torch.inference_mode():
        maps = kernel_map(CUBE, CUBE, 3), kernel_map(CUBE, downsample(CUBE, 2), 2, 2)
        for pairs in maps:
            sparse_conv(torch.rand(64, 4), torch.rand(len(pairs.counts), 4, 6), pairs)
        index = bev_index(torch.rand(1, 1, 2, 3, 4, 3), GRID)
        drawn = draw_augmentation(2, (8, 8))
    for pairs in maps:
        weight = torch.rand(len(pairs.counts), 4, 6, requires_grad=True)
        sparse_conv(torch.rand(64, 4), weight, pairs).sum().backward()
        assert weight.grad.abs().sum() > 0
    depth, features = (torch.rand(shape, requires_grad=True) for shape in ((1, 1, 2, 3, 4), (1, 1, 5, 3, 4)))
    bev_pool(depth, features, index).sum().backward()
    images = torch.rand(2, 3, 8, 8, requires_grad=True)
    diff_augment(images, drawn).sum().backward()
    assert images.grad.isfinite().all()


def per_sample(loss):
    return lambda x: torch.vmap(torch.func.grad(loss), randomness="same")(x[None])


def test_tangents_are_refused_and_not_dropped_and_so_is_torch_func():
    coords = torch.rand(1, 3, 10) * 3
    points = torch.tensor([[0, 1.0, 1, 1]])
    depth = torch.rand(1, 1, 2, 3, 4)
    index = bev_index(torch.rand(1, 1, 2, 3, 4, 3), GRID)
    pairs, drawn = kernel_map(CUBE, CUBE, 3), draw_augmentation(2, (8, 8))
    for fn, x in (
        (lambda x: temporal_shift(x, 8), torch.rand(8, 8, 2, 2)),
        (lambda x: shifted_pointwise_conv(x, torch.rand(6, 8), n_frames=8), torch.rand(8, 8, 2, 2)),
        (lambda x: sparse_conv(x, torch.rand(27, 4, 6), pairs), torch.rand(64, 4)),
        (lambda x: avg_voxelize(x, coords, 4), torch.rand(1, 2, 10)),
        (lambda x: trilinear_devoxelize(x, coords), torch.rand(1, 2, 4, 4, 4)),
        (lambda x: point_to_voxel(x, points, CUBE), torch.rand(1, 2)),
        (lambda x: voxel_to_point(x, CUBE, points), torch.rand(64, 2)),
        (lambda x: group(x, torch.zeros(1, 3, dtype=torch.int64)), torch.rand(1, 2, 10)),
        (lambda x: bev_pool(depth, x, index), torch.rand(1, 1, 5, 3, 4)),
        (lambda x: diff_augment(x, drawn), torch.rand(2, 3, 8, 8)),
    ):
        with pytest.raises(NotImplementedError, match="no forward-mode gradient"):
            torch.func.jvp(fn, (x,), (torch.ones_like(x),))
        for differentiate in (torch.func.grad, per_sample):
            with pytest.raises(NotImplementedError, match=r"no gradient for torch\.func"):
                differentiate(lambda x, fn=fn: fn(x).sum())(x)


# --------------------------------------------------------------------------------------------- arguments


def test_true_is_no_number():
    """`temporal_shift(x, 8, True)` means causal, and would divide the channels by 1."""
    x = torch.rand(8, 8, 2, 2)
    for call in (
        lambda: temporal_shift(x, True),
        lambda: temporal_shift(x, 8, True, True),
        lambda: normalize_to_grid(torch.rand(1, 3, 5), True),
        lambda: kernel_map(CUBE, CUBE, (3, 3, True)),
    ):
        with pytest.raises(TypeError, match="must be a whole number, got True"):
            call()


def test_sizes_and_ranges_get_a_sentence():
    for call, sentence in (
        (lambda: normalize_to_grid(torch.rand(1, 3, 5), 4, eps=-100), "eps must not be negative"),
        (lambda: normalize_to_grid(torch.rand(1, 3, 5), 4, eps=torch.nan), "eps must not be negative"),
        (lambda: bev_index(torch.zeros(1, 1, 1, 1, 1, 3), BEVGrid((0, 4), (0, 4, 1), (0, 1))), "x must be"),
        (lambda: bev_index(torch.zeros(1, 1, 1, 1, 1, 3), BEVGrid((0, 4, 1), (0, 4, 1), (0,))), "no heights"),
        (lambda: draw_augmentation(-1, (8, 8)), "n must not be negative"),
        (lambda: draw_augmentation(2, 8), r"size must be \(H, W\), got 8"),
        (lambda: draw_augmentation(2, (8, 8), policy=None), "policy may hold"),
        (lambda: diff_augment(torch.rand(2, 3, 8, 8), torch.zeros(1)), "color, translation and cutout"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
    drawn = draw_augmentation(2, (8, 8))
    with pytest.raises(TypeError, match="color must be floating"):
        diff_augment(torch.rand(2, 3, 8, 8), drawn._replace(color=drawn.color.long()))
