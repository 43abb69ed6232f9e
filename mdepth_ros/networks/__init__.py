"""The three networks and their parts; state-dict keys match the public checkpoints."""
