"""Training and scoring of detectors and maps of streets."""
