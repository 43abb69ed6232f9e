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

"""Words of the command line that several commands read the same way."""

import argparse
from math import inf
import re

from mdepth_ros.config import EngineConfig


def size_or_budget(text: str) -> EngineConfig:
    """
    Read the size of the networks' input.

    :param text: WxH, or at most so many pixels.
    :return: the defaults with that size.
    :raises argparse.ArgumentTypeError: if it is neither, or no size that the networks take.
    """
    match = re.fullmatch(r'(\d+)(?:x(\d+))?', text)
    if match is None:
        raise argparse.ArgumentTypeError(f'must be WxH or a number of pixels, got {text!r}')
    first, second = match.groups()
    try:
        if second is None:
            return EngineConfig(pixel_budget=int(first))
        return EngineConfig(width=int(first), height=int(second))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def image_size(text: str) -> tuple[int, int]:
    """
    Read the size of an image.

    :param text: WxH.
    :return: width and height [px], both > 0.
    :raises argparse.ArgumentTypeError: if it is another.
    """
    match = re.fullmatch(r'(\d+)x(\d+)', text)
    if match is None or not (int(match[1]) and int(match[2])):
        raise argparse.ArgumentTypeError(f'must be WxH, got {text!r}')
    return int(match[1]), int(match[2])


def network_size(text: str) -> tuple[int, int]:
    """
    Read the size of the networks' input where no image says it.

    :param text: WxH.
    :return: width and height [px].
    :raises argparse.ArgumentTypeError: if it is another, or no size that the networks take.
    """
    width, height = image_size(text)
    size_or_budget(text)
    return width, height


def positive(text: str) -> int:
    """
    Read a count.

    :param text: a whole number.
    :return: it, at least 1.
    :raises argparse.ArgumentTypeError: if it is another.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'must be at least 1, got {text!r}')
    return int(text)


def positive_number(text: str) -> float:
    """
    Read a quantity.

    :param text: a number.
    :return: it, above 0 and finite.
    :raises argparse.ArgumentTypeError: if it is another.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < inf:
        raise argparse.ArgumentTypeError(f'must be a finite number above 0, got {text!r}')
    return value
