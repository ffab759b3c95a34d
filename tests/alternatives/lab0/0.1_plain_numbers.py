by_hand = {
    "3D": 2_073_600,
    "transposed": 3_276_800,
    "dilated": 1_843_200,
    "depthwise": 115_200,
    "strided": 460_800,
    "dense": 1_843_200,
}
