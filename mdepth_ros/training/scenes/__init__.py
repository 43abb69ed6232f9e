"""Inside of the synthetic scenes; ``training.synthetic`` is their public door."""
