"""the scores are summed: take their mean."""


def generator_loss(discriminator, fake, T):
    return -discriminator(T(fake)).sum()
