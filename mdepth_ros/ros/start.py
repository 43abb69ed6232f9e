# Copyright 2026 mdepth_ros maintainers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

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
