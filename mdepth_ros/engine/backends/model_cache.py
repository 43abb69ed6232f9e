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

"""Where converted parts lie, so that the second start on a machine is quick."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
import fcntl
import hashlib
import os
from pathlib import Path
import shutil
from tempfile import TemporaryDirectory
from typing import TypeVar

import mdepth_ros
from mdepth_ros.errors import MdepthError, one_line, writing
import torch
from torch import nn, Tensor

# Parts that are kept, of 5 to 25 MB each: the five of a model at nine sizes.
KEPT = 48
ADVICE = '; XDG_CACHE_HOME may name another folder for caches'

Loaded = TypeVar('Loaded')


def default_cache() -> Path:
    """
    Return this user's folder for files that can be made again.

    :raises MdepthError: if this user has no home.
    """
    root = os.environ.get('XDG_CACHE_HOME')
    try:
        return (Path(root) if root else Path.home() / '.cache') / 'mdepth_ros'
    except RuntimeError as error:
        raise MdepthError(f'there is no folder for converted models: {error}{ADVICE}') from error


def load_cached(
    cache: Path, part: nn.Module, name: str, inputs: Sequence[Tensor], maker: str,
    make: Callable[[Path], None], load: Callable[[Path], Loaded],
) -> Loaded:
    """
    Load a converted part; files that cannot be loaded, cut short or removed, are made once more.

    :param cache: folder of all parts; the next ones as for :func:`cached_folder`.
    :param load: reads the files of a folder.
    :return: what it returns.
    :raises MdepthError: if the part can be neither written nor loaded.
    """
    folder = cached_folder(cache, part, name, inputs, maker, make)
    for _ in range(2):  # another program may have had the memory
        try:
            return load(folder)
        except (OSError, RuntimeError):
            continue
    shutil.rmtree(folder, ignore_errors=True)
    folder = cached_folder(cache, part, name, inputs, maker, make)
    try:
        return load(folder)
    except (OSError, RuntimeError) as error:
        raise MdepthError(f'cannot load the converted model {folder}: {one_line(error)}'
                          ) from error


def cached_folder(
    cache: Path, part: nn.Module, name: str, inputs: Sequence[Tensor], maker: str,
    make: Callable[[Path], None],
) -> Path:
    """
    Find a converted part, or convert it: other weights, shapes or versions have another folder.

    :param cache: folder of all parts.
    :param part: its weights count; on the CPU.
    :param name: of the part.
    :param inputs: their shapes count.
    :param maker: the converter and its version.
    :param make: writes the files into an empty folder.
    :return: the folder with the files.
    :raises MdepthError: if it cannot be written.
    """
    folder = cache / f'{name}-{_key(part, inputs, maker)}'
    with writing(cache, ADVICE):
        if not folder.exists():
            cache.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as partial:
                make(Path(partial))
                _move(Path(partial), folder)
            _forget_oldest(cache)
    with suppress(OSError):  # a cache that cannot be written can be read
        os.utime(folder)
    return folder


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """
    Wait until no other process works in a cached folder, and keep others out meanwhile.

    :param folder: of :func:`cached_folder`.
    """
    with _opened(folder) as descriptor:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a file or folder, which need not be writable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _move(partial: Path, folder: Path) -> None:
    """Give a whole folder its name, once a power failure cannot leave half of it there."""
    for path in (*partial.iterdir(), partial):
        with _opened(path) as descriptor:
            os.fsync(descriptor)
    try:
        os.rename(partial, folder)
    except OSError:
        # Another process may have been faster: its files are the same.
        if not folder.exists():
            raise


def _forget_oldest(cache: Path) -> None:
    """Keep what was used last; who has an old one open goes on with it."""
    def last_used(folder: Path) -> float:
        with suppress(OSError):
            return folder.stat().st_mtime
        return 0.0

    for folder in sorted(cache.iterdir(), key=last_used)[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def _key(part: nn.Module, inputs: Sequence[Tensor], maker: str) -> str:
    """Name everything that a converted part depends on."""
    shapes = [tuple(x.shape) for x in inputs]
    versions = f'{mdepth_ros.__version__} torch {torch.__version__} {maker}'
    key = hashlib.sha256(f'{versions} {part} {shapes}'.encode())
    # Other code, other graph.
    package = Path(mdepth_ros.__file__).parent
    for folder in ('geometry', 'networks', 'engine/backends'):
        for source in sorted((package / folder).glob('*.py')):
            key.update(source.read_bytes())
    for tensor in part.state_dict().values():
        key.update(tensor.detach().flatten().view(torch.uint8).numpy())
    return key.hexdigest()[:16]
