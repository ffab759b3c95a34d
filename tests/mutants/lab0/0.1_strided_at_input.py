"""the strided layer is counted at the size of its input: with stride 2 the kernel is put down at every second place only."""

by_hand = {
    "dense": 20 * 20 * (32 * 16 * 9),
    "strided": 20 * 20 * (32 * 16 * 9),
    "depthwise": 20 * 20 * (32 * 1 * 9),
    "dilated": 20 * 20 * (32 * 16 * 9),
    "transposed": 20 * 20 * (32 * 16 * 16),
    "3D": 6 * 10 * 10 * (16 * 8 * 27),
}
