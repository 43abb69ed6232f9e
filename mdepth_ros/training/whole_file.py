"""Files that are there completely or not at all."""

import os
from pathlib import Path

from mdepth_ros.errors import writing


def write_whole(path: Path, content: bytes) -> None:
    """
    Write a file in one step, and its folder.

    :param path: the file.
    :param content: all of it.
    :raises MdepthError: if the disk does not take it.
    """
    partial = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
