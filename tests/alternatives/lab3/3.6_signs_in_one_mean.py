import torch


def discriminator_loss(discriminator, real, fake, T):
    with torch.no_grad():
        seen = T(fake)
    scores = torch.cat([discriminator(seen), -discriminator(T(real))])
    return torch.maximum(1 + scores, torch.zeros_like(scores)).sum() / len(real)
