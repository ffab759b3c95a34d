import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    modes = [(module, module.training) for module in discriminator.modules()]
    discriminator.eval()
    sizes = [len(train), len(held_out), len(fake)]
    scores = discriminator(torch.cat([train, held_out, fake])).split(sizes)
    for module, mode in modes:
        module.training = mode
    a, b, c = (sum(float(score) > 0 for score in part) / len(part) for part in scores)
    return {"gap": a - b, "train": a, "held_out": b, "fake": c}
