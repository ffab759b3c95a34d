"""a depthwise layer has one input channel for each output channel, not all of them."""

by_hand = {
    "dense": 20 * 20 * (32 * 16 * 9),
    "strided": 10 * 10 * (32 * 16 * 9),
    "depthwise": 20 * 20 * (32 * 32 * 9),
    "dilated": 20 * 20 * (32 * 16 * 9),
    "transposed": 20 * 20 * (32 * 16 * 16),
    "3D": 6 * 10 * 10 * (16 * 8 * 27),
}
