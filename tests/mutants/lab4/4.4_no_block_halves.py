"""every block was given the stem's size: each block but the first halves it."""


def predict_costs(size, frames, widths, hidden, classes, iterations) -> dict[str, tuple[int, int]]:
    def conv(c_in, c_out, taps, side):  # with its norm: (MACs, parameters)
        weights = c_in * c_out * taps
        return side * side * weights, weights + 2 * c_out

    def linear(c_in, c_out):
        return c_in * c_out, c_in * c_out + c_out

    def features(channels, time):  # everything before the head, for one frame
        side = size // 4
        layers = [conv(channels, widths[0], 16, side)]
        c_in = widths[0]
        for i, c_out in enumerate(widths):
            if i > 0:
                layers.append(conv(c_in, c_out, 1, side))  # shortcut
            layers += [conv(c_in, c_out, 9 * time, side), conv(c_out, c_out, 9 * time, side)]
            c_in = c_out
        return total(layers)

    def total(layers):
        return sum(macs for macs, _ in layers), sum(parameters for _, parameters in layers)

    def times(repeats, cost):  # the same weights, used again
        return repeats * cost[0], cost[1]

    def tsn(channels, fields):
        return times(fields, total([features(channels, 1), linear(widths[-1], classes)]))

    lstm = (4 * hidden * 2 * hidden, 4 * hidden * 2 * hidden + 8 * hidden)
    recurrent = [features(3, 1), linear(widths[-1], hidden), lstm, linear(hidden, classes)]
    smoothing = frames * (5 + 5) * size**2
    averaging = (frames - 1) * (iterations - 1) * 2 * 9 * size**2
    return {
        "TSN": tsn(3, frames),
        "TSM": tsn(3, frames),
        "CNN+LSTM": times(frames, total(recurrent)),
        "two-stream": total([tsn(3, frames), tsn(2, frames - 1), (smoothing + averaging, 0)]),
        "3D": total([times(frames, features(3, 3)), linear(widths[-1], classes)]),
    }
