"""T is applied twice."""


def generator_loss(discriminator, fake, T):
    return -discriminator(T(T(fake))).mean()
