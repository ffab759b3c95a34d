"""Training on streets: networks that label points, and those that find things and draw maps; and their scores."""
