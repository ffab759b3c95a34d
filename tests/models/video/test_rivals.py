import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.models.video.flow import horn_schunck
from efficientlab.models.video.resnet import SmallResNet
from efficientlab.models.video.rivals import CNNLSTM, TSN, ResNet3D, RGBDifference, TwoStream

EVERY = {
    "TSN": TSN,
    "RGB difference": RGBDifference,
    "two-stream": TwoStream,
    "CNN+LSTM": CNNLSTM,
    "3D": ResNet3D,
    "3D narrow": lambda: ResNet3D(widths=ResNet3D.NARROW),
}


def seeded(make) -> nn.Module:
    """A network in evaluation mode whose norms have seen some data."""
    torch.manual_seed(0)
    model = make()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, 8, 3, 32, 32))
    return model.eval()


def video(n: int = 3, t: int = 8) -> torch.Tensor:
    return torch.randn(n, t, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def macs(model: nn.Module) -> int:
    with FlopCounterMode(display=False) as counter:
        model(video(1))
    return counter.get_total_flops() // 2


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_shape_and_that_clips_of_a_batch_do_not_mix(name):
    model = seeded(EVERY[name])
    logits = model(video(3))
    assert logits.shape == (3, 12)
    for i in range(3):
        assert close(logits[i], model(video(3)[i : i + 1])[0])


@pytest.mark.parametrize("name", EVERY)
def test_only_frame_aggregation_is_blind_to_order(name):
    model = seeded(EVERY[name])
    same = close(model(video()), model(video().flip(1)))
    assert same == (name == "TSN")


@pytest.mark.parametrize("name", EVERY)
def test_gradients_reach_every_parameter(name):
    model = EVERY[name]()
    model(video()).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_tsn_averages_what_the_backbone_says_of_each_frame():
    model = seeded(TSN)
    frames = torch.stack([model.backbone(video()[:, t]) for t in range(8)], 1)
    assert close(model.frame_logits(video()), frames)
    assert close(model(video()), frames.mean(1))


def test_rgb_difference_does_not_see_what_stands_still():
    model = seeded(RGBDifference)
    still = torch.randn(3, 1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(model(video() + still), model(video()), atol=1e-4, rtol=1e-4)


def test_two_stream_averages_its_streams():
    model = seeded(TwoStream)
    flow = horn_schunck(video())
    assert close(model(video()), (model.spatial(video()) + model.temporal(flow)) / 2)


def test_cnn_lstm_reads_forwards():
    """Changing the last frame must not change what the recurrent network said before it."""
    model = seeded(CNNLSTM)
    said = []
    model.lstm.register_forward_hook(lambda module, inputs, outputs: said.append(outputs[0]))
    changed = video().clone()
    changed[:, -1] = 0
    model(video())
    model(changed)
    assert close(said[0][:, :-1], said[1][:, :-1])
    assert not close(said[0][:, -1], said[1][:, -1])


@pytest.mark.parametrize("widths", [ResNet3D.WIDE, (8, 12, 20)])
def test_3d_with_weights_in_the_middle_tap_is_tsn(widths):
    """Inflation: a 3D kernel that is zero except at its own frame sees each frame alone."""
    flat = seeded(lambda: TSN(SmallResNet(widths=widths)))
    solid = ResNet3D(widths=widths).eval()
    state = {}
    for key, value in flat.backbone.state_dict().items():
        if value.ndim == 4:
            target = torch.zeros_like(solid.state_dict()[key])
            target[:, :, target.shape[2] // 2] = value
            value = target
        state[key] = value
    solid.load_state_dict(state)
    torch.testing.assert_close(solid(video()), flat(video()), atol=1e-4, rtol=1e-4)


def test_budgets():
    """The comparison of lab 4: everything 2D near one budget, 3D at three times, narrow 3D at one."""
    flat = TSN()
    assert 160_000 < parameters(flat) < 190_000
    assert 2.7 < macs(ResNet3D()) / macs(flat) < 3.1
    assert 2.7 < parameters(ResNet3D()) / parameters(flat) < 3.1
    narrow = ResNet3D(widths=ResNet3D.NARROW)
    assert abs(macs(narrow) / macs(flat) - 1) < 0.02
    assert abs(parameters(narrow) / parameters(flat) - 1) < 0.05
    assert macs(RGBDifference()) / macs(flat) == 7 / 8
