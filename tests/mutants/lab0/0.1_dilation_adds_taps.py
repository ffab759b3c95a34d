"""dilation moves the taps apart, it does not fill the gaps between them: a 3×3 kernel has nine taps at any dilation."""

by_hand = {
    "dense": 20 * 20 * (32 * 16 * 9),
    "strided": 10 * 10 * (32 * 16 * 9),
    "depthwise": 20 * 20 * (32 * 1 * 9),
    "dilated": 20 * 20 * (32 * 16 * 25),
    "transposed": 20 * 20 * (32 * 16 * 16),
    "3D": 6 * 10 * 10 * (16 * 8 * 27),
}
