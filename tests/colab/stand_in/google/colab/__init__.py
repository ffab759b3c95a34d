"""What the set-up cell looks for to know that it is on Colab."""
