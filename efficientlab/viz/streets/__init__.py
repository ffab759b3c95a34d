"""Pictures of streets: what sensors saw, what networks make of it, and what a sparse convolution writes."""
