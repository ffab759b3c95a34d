"""the hinge is missing: pictures beyond the margin must not count any more."""


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(T(fake.detach()))
    return (1 - r).mean() + (1 + f).mean()
