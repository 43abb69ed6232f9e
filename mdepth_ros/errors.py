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

"""What the package raises for bad input: one base class, one line of text for the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 500  # letters of another's text


class MdepthError(Exception):
    """A known problem; its text is one line that says what came and what was expected."""


class BadImage(MdepthError):
    """An image that cannot be decoded, or has another size than its camera."""


class BadCamera(MdepthError):
    """Calibration that no camera has: zeros, NaN, wrong sizes, an unknown distortion model."""


class CheckpointError(MdepthError):
    """A weights file that is missing, truncated, foreign or of another architecture."""


def one_line(error: object) -> str:
    """
    Bring the text of another library's error into a line of ours.

    :param error: what was raised.
    :return: its text without line breaks, and no more of it than people read.
    """
    text = ' '.join(str(error).split())
    return text if len(text) <= LONGEST else text[:LONGEST - 3] + '...'


@contextmanager
def writing(path: Path, advice: str = '') -> Iterator[None]:
    """
    Turn what the disk refuses into one line.

    :param path: what is being written.
    :param advice: what to add to the line.
    :raises MdepthError: for any OSError inside.
    """
    try:
        yield
    except OSError as error:
        raise MdepthError(f'cannot write {path}: {error.strerror or error}{advice}') from error
