"""Pictures of streets: what cameras and LiDAR saw, and what a network makes of it on the ground."""
