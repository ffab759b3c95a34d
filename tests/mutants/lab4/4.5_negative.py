"""a latency ratio is a positive number."""

latency_ratios = {
    "TSN": 1.0,
    "RGB difference": 1.0,
    "TSM": -0.1,
    "CNN+LSTM": 1.1,
    "two-stream": 2.0,
    "3D": 3.0,
    "3D narrow": 1.0,
}
