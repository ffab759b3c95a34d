"""who gives no fold_div gets another one than 8: leave the default as it is."""


def kernel_in_time(weight, fold_div=4):
    f = weight.shape[1] // fold_div
    v = weight.new_zeros(*weight.shape[:2], 3, *weight.shape[2:])
    v[:, :f, 2] = weight[:, :f]
    v[:, f : 2 * f, 0] = weight[:, f : 2 * f]
    v[:, 2 * f :, 1] = weight[:, 2 * f :]
    return v
