"""The teacher's parameters take no gradient while it is asked, and take one again afterwards."""


def reconstruction_loss(fake, drawing, picture, teacher):
    if picture is None:
        held_back = [parameter for parameter in teacher.parameters() if parameter.requires_grad]
        for parameter in held_back:
            parameter.requires_grad_(False)
        picture = teacher(drawing)
        for parameter in held_back:
            parameter.requires_grad_(True)
    return (fake - picture).abs().mean()
