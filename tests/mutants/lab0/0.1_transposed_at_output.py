"""the transposed layer is counted at the size of its output: the places are its input positions."""

by_hand = {
    "dense": 20 * 20 * (32 * 16 * 9),
    "strided": 10 * 10 * (32 * 16 * 9),
    "depthwise": 20 * 20 * (32 * 1 * 9),
    "dilated": 20 * 20 * (32 * 16 * 9),
    "transposed": 40 * 40 * (32 * 16 * 16),
    "3D": 6 * 10 * 10 * (16 * 8 * 27),
}
