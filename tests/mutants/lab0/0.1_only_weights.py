"""these are the weights of the layers: each of them is used at every place."""

by_hand = {
    "dense": (32 * 16 * 9),
    "strided": (32 * 16 * 9),
    "depthwise": (32 * 1 * 9),
    "dilated": (32 * 16 * 9),
    "transposed": (32 * 16 * 16),
    "3D": (16 * 8 * 27),
}
