"""the gradient goes around T, as if T were not there: it must go through T."""


def generator_loss(discriminator, fake, T):
    augmented = fake + (T(fake) - fake).detach()
    return -discriminator(augmented).mean()
