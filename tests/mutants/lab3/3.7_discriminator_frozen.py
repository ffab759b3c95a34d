"""the discriminator is left frozen: it cannot learn in its next step."""


def generator_loss(discriminator, fake, T):
    discriminator.requires_grad_(False)
    return -discriminator(T(fake)).mean()
