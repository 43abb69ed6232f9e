"""Camera geometry in torch, nothing else: intrinsics, motions, projection, depth."""
