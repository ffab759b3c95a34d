"""the sign is wrong: the generator would learn to be caught."""


def generator_loss(discriminator, fake, T):
    return discriminator(T(fake)).mean()
