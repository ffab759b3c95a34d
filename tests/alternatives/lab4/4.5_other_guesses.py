"""Other numbers, integers among them."""

latency_ratios = {
    "3D": 9,
    "3D narrow": 0.5,
    "TSM": 1,
    "TSN": 1,
    "RGB difference": 1,
    "two-stream": 4.25,
    "CNN+LSTM": 2,
}
