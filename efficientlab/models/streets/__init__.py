"""Networks that look at streets through cameras and a LiDAR."""
