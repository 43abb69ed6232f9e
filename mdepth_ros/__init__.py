"""Depth in metres from one calibrated, moving camera: networks, engine, ROS 2 node, training."""

__version__ = '0.1.0'
