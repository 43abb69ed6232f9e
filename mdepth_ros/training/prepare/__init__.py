"""Bags and videos to folders of rectified frames; ``prepare.prepare`` is the door."""
