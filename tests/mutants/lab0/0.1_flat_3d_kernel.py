"""the kernel of the 3D layer has three dimensions: 27 taps, not 9."""

by_hand = {
    "dense": 20 * 20 * (32 * 16 * 9),
    "strided": 10 * 10 * (32 * 16 * 9),
    "depthwise": 20 * 20 * (32 * 1 * 9),
    "dilated": 20 * 20 * (32 * 16 * 9),
    "transposed": 20 * 20 * (32 * 16 * 16),
    "3D": 6 * 10 * 10 * (16 * 8 * 9),
}
