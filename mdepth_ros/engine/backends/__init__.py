"""What runs the networks' parts: PyTorch, OpenVINO."""
