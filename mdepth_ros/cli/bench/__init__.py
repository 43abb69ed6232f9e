"""``mdepth bench``: how fast the networks run here, and what the node adds."""
