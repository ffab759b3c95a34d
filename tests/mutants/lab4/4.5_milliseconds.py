"""TSN is the unit of these ratios, so its own is 1."""

latency_ratios = {
    "TSN": 12.0,
    "RGB difference": 11.0,
    "TSM": 13.0,
    "CNN+LSTM": 14.0,
    "two-stream": 30.0,
    "3D": 40.0,
    "3D narrow": 15.0,
}
