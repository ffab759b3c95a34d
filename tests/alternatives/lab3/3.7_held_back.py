"""The discriminator's parameters take no gradient while the generator's loss is made, and take one again afterwards."""


def generator_loss(discriminator, fake, T):
    discriminator.requires_grad_(False)
    loss = -discriminator(T(fake)).mean()
    discriminator.requires_grad_(True)
    return loss
