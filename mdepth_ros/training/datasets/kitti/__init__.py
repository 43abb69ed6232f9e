"""KITTI raw data in its official layout."""
