"""The causal 3D network gives frame by frame what it gives on the whole clip."""

from __future__ import annotations

import torch

from efficientlab.models.video.live3d import CausalResNet3D, Live3D
from efficientlab.models.video.rivals import ResNet3D

WIDTHS = (4, 6, 8)


def network() -> CausalResNet3D:
    torch.manual_seed(0)
    return CausalResNet3D(widths=WIDTHS, classes=3).eval()


def test_frame_by_frame_is_the_clip_in_one_piece() -> None:
    net, video = network(), torch.randn(2, 5, 3, 32, 32)
    with torch.inference_mode():
        whole = net(video)
        live = Live3D(net)
        for _ in range(2):  # the second stream begins as the first one did
            live.reset()
            frames = torch.stack([live(frame) for frame in video.unbind(1)])  # (T, N, classes)
            torch.testing.assert_close(frames.mean(0), whole, rtol=1e-4, atol=1e-5)


def test_no_frame_reaches_one_before_it() -> None:
    net, video = network(), torch.randn(1, 5, 3, 32, 32)
    changed = video.clone()
    changed[:, 3:] += 1
    with torch.inference_mode():
        before, after = (net.blocks(net.stem(v.transpose(1, 2))) for v in (video, changed))
    assert torch.equal(before[:, :, :3], after[:, :, :3])
    assert not torch.equal(before[:, :, 3], after[:, :, 3])


def test_its_weights_are_those_of_the_other_3d_network() -> None:
    net, other = network(), ResNet3D(widths=WIDTHS, classes=3)
    other.load_state_dict(net.state_dict())
    assert [p.shape for p in net.parameters()] == [p.shape for p in other.parameters()]


def test_what_a_stream_keeps_is_two_frames_of_every_input() -> None:
    live = Live3D(network())
    with torch.inference_mode():
        live(torch.randn(1, 3, 32, 32))
    inputs = [(4, 8), (4, 8), (4, 8), (6, 4), (6, 4), (8, 2)]  # (channels, side) of each convolution's input
    assert live.kept() == sum(2 * channels * side**2 for channels, side in inputs)
