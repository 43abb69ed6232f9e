"""Data, losses and stages of the self-supervised training."""
