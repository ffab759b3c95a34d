def generator_macs(side, width, blocks):
    def square(places, c_in, c_out, taps):
        return places * places * c_in * c_out * taps * taps

    layers = [square(side, 3, width, 7), square(side, width, 3, 7)]
    layers += 2 * blocks * [square(side // 4, 4 * width, 4 * width, 3)]
    layers += [square(side // 2, width, 2 * width, 3), square(side // 4, 2 * width, 4 * width, 3)]
    ups = {side // 4: (4 * width, 2 * width), side // 2: (2 * width, width)}
    right = sum(layers) + sum(square(places, *channels, 3) for places, channels in ups.items())
    mistaken = sum(layers) + sum(square(2 * places, *channels, 3) for places, channels in ups.items())
    return right, mistaken
