"""the output of the 3D layer has three dimensions: its depth of 6 is missing from the places."""

by_hand = {
    "dense": 20 * 20 * (32 * 16 * 9),
    "strided": 10 * 10 * (32 * 16 * 9),
    "depthwise": 20 * 20 * (32 * 1 * 9),
    "dilated": 20 * 20 * (32 * 16 * 9),
    "transposed": 20 * 20 * (32 * 16 * 16),
    "3D": 10 * 10 * (16 * 8 * 27),
}
