"""Words of the command line that several commands read the same way."""

import argparse
import re

from mdepth_ros.config import EngineConfig


def network_input(text: str) -> EngineConfig:
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
