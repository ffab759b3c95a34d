import itertools

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.models.video.flow import horn_schunck


def reference(video: np.ndarray, smoothness: float, iterations: int) -> np.ndarray:
    """The paper's iteration in double precision, one pair of frames at a time; video is (T, 3, H, W)."""

    def around(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
        rows, columns = np.array(weights.shape) // 2
        padded = np.pad(image, ((rows, rows), (columns, columns)), mode="edge")
        return sum(
            weights[i, j] * padded[i : i + image.shape[0], j : j + image.shape[1]]
            for i in range(weights.shape[0])
            for j in range(weights.shape[1])
        )

    binomial = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    average = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
    grey = [around(frame.mean(0), binomial) for frame in video]
    flows = []
    for here, there in itertools.pairwise(grey):
        ix = around((here + there) / 2, np.array([[-0.5, 0, 0.5]]))
        iy = around((here + there) / 2, np.array([[-0.5], [0], [0.5]]))
        it = there - here
        u = v = np.zeros_like(it)
        for _ in range(iterations):
            mu, mv = around(u, average), around(v, average)
            step = (ix * mu + iy * mv + it) / (smoothness + ix**2 + iy**2)
            u, v = mu - ix * step, mv - iy * step
        flows.append(np.stack([u, v]))
    return np.stack(flows)


videos = st.builds(
    lambda seed, n, t, h, w: torch.randn(n, t, 3, h, w, generator=torch.Generator().manual_seed(seed)),
    st.integers(0, 2**31),
    st.integers(1, 3),
    st.integers(2, 4),
    st.integers(5, 12),
    st.integers(5, 12),
)


@given(videos, st.integers(1, 6), st.floats(0.05, 2.0))
@settings(max_examples=20, deadline=None)
def test_equals_the_iteration_written_in_loops(video, iterations, smoothness):
    flow = horn_schunck(video, smoothness=smoothness, iterations=iterations)
    expected = np.stack([reference(clip, smoothness, iterations) for clip in video.double().numpy()])
    torch.testing.assert_close(flow, torch.from_numpy(expected).float(), atol=1e-4, rtol=1e-4)


@given(videos)
@settings(max_examples=20, deadline=None)
def test_time_reversal_turns_the_flow_round(video):
    torch.testing.assert_close(
        horn_schunck(video.flip(1)), -horn_schunck(video).flip(1), atol=1e-5, rtol=1e-4
    )


def test_finds_the_motion_of_a_smooth_blob():
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    t = torch.arange(4.0)[:, None, None]
    blob = torch.exp(-((x - 28 - 0.8 * t) ** 2 + (y - 32 + 0.5 * t) ** 2) / 60)  # (T, H, W)
    flow = horn_schunck(blob[None, :, None].expand(1, 4, 3, 64, 64), smoothness=1e-3, iterations=200)
    u, v = flow[0].transpose(0, 1)[:, blob[:-1] > 0.3].mean(1)
    assert abs(u - 0.8) < 0.1  # rightwards
    assert abs(v + 0.5) < 0.1  # upwards


def test_a_still_picture_has_no_flow():
    still = torch.randn(2, 1, 3, 16, 16).expand(2, 5, 3, 16, 16)
    assert horn_schunck(still).abs().max() == 0


def test_its_macs_are_counted():
    n, t, h, w, iterations = 2, 8, 32, 24, 12
    with FlopCounterMode(display=False) as counter:
        horn_schunck(torch.zeros(n, t, 3, h, w), iterations=iterations)
    macs = n * h * w * (t * (5 + 5) + (t - 1) * (iterations - 1) * 2 * 9)
    assert counter.get_total_flops() == 2 * macs
