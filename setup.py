"""Install mdepth_ros with pip or colcon; what it is made of stands in setup.cfg."""

from setuptools import setup

setup()
