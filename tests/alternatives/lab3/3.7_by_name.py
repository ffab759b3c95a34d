"""Step by step, with a sum."""


def generator_loss(discriminator, fake, T):
    seen = T(fake)
    scores = discriminator(seen)
    return scores.neg().sum() / scores.numel()
