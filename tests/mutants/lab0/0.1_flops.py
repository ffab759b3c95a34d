"""these are FLOPs: a MAC is one multiplication and one addition, so there are half as many."""

by_hand = {
    "dense": 2 * 20 * 20 * (32 * 16 * 9),
    "strided": 2 * 10 * 10 * (32 * 16 * 9),
    "depthwise": 2 * 20 * 20 * (32 * 1 * 9),
    "dilated": 2 * 20 * 20 * (32 * 16 * 9),
    "transposed": 2 * 20 * 20 * (32 * 16 * 16),
    "3D": 2 * 6 * 10 * 10 * (16 * 8 * 27),
}
