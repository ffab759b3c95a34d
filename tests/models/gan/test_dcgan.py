import pytest
import torch

from efficientlab.models.gan.dcgan import LATENT, Discriminator, Generator


@pytest.mark.parametrize(("channels", "width"), [(1, 8), (3, 4)])
def test_shapes_and_range(channels, width):
    torch.manual_seed(0)
    pictures = Generator(channels, width)(torch.randn(5, LATENT))
    assert pictures.shape == (5, channels, 32, 32)
    assert pictures.abs().max() <= 1
    assert Discriminator(channels, width)(pictures).shape == (5,)


def test_the_discriminator_judges_each_picture_alone():
    torch.manual_seed(0)
    discriminator, pictures = Discriminator(1, 8).train(), torch.randn(6, 1, 32, 32)
    together = discriminator(pictures)
    alone = torch.cat([discriminator(picture[None]) for picture in pictures])
    assert torch.allclose(together, alone, atol=1e-6)


def test_both_learn_from_one_another():
    torch.manual_seed(0)
    generator, discriminator = Generator(1, 4), Discriminator(1, 4)
    discriminator(generator(torch.randn(4, LATENT))).sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is not None and p.grad.any() for p in network.parameters())


def test_parameters_of_the_lab():
    assert sum(p.numel() for p in Generator().parameters()) == 64 * 2048 + 16 * (
        128 * 64 + 64 * 32 + 32
    ) + 1 + 2 * (128 + 64 + 32)
    assert (
        sum(p.numel() for p in Discriminator().parameters())
        == 16 * (32 + 32 * 64 + 64 * 128) + 32 + 64 + 128 + 2048 + 1
    )
