"""The node's start, where what a user or a launch file passed on may be wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from mdepth_ros.errors import MdepthError, one_line
from rclpy.exceptions import ParameterException


class StartError(MdepthError):
    """Arguments or a parameters file that ROS does not take."""


@contextmanager
def what_ros_refuses() -> Iterator[None]:
    """
    Turn rclpy's errors about arguments and parameters into one line.

    :raises StartError: for any of them inside.
    """
    try:
        yield
    # rclpy's own errors are RuntimeErrors, and a ValueError for a parameter without a value.
    except (RuntimeError, ParameterException, ValueError) as error:
        raise StartError(f'cannot start: {one_line(error)}') from error
