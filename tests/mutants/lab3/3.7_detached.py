"""the generated pictures are detached, so no gradient reaches the generator."""


def generator_loss(discriminator, fake, T):
    return -discriminator(T(fake.detach())).mean()
