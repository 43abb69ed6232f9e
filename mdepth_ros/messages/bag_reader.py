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

"""A reader of bags that says in one line what is broken, however the bag is broken."""

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
import struct
import sys
from typing import Any

import apsw
from mdepth_ros.errors import LONGEST, MdepthError, one_line
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag1 import ReaderError as ReaderError1
from rosbags.rosbag2 import ReaderError as ReaderError2
from rosbags.serde import SerdeError
from rosbags.typesys.base import TypesysError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SAID_BY_ROSBAGS = (AnyReaderError, ReaderError1, ReaderError2, SerdeError, TypesysError, OSError)
# What it does not foresee where bytes were changed, found by doing that to bags.
DAMAGED = (ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
           RuntimeError, TypeError, ValueError, struct.error, apsw.Error, zstd.ZstdError)


class BagError(MdepthError):
    """A bag that cannot be read or does not hold what was asked for."""


class BrokenMessageError(BagError):
    """A message whose bytes are not of its type; the others may be."""


class BagReader(AnyReader):
    """Reads as AnyReader does, and raises BagError for all that is wrong with the bag."""

    def open(self) -> None:  # noqa: A003  rosbags' name
        """
        Open the bag.

        :raises BagError: if it is damaged, or holds no messages.
        """
        with _refusing(f'{self.paths[0]} is not a readable bag', BagError):
            super().open()
            problem = next(filter(None, map(_problem, self.connections)), None)
        if problem is not None or not self.connections:
            self.close()
            raise BagError(f'{self.paths[0]} ' + (problem or 'holds no messages'))

    def close(self) -> None:
        """
        Close the bag.

        :raises BagError: if it is damaged where rosbags looks only now.
        """
        with _refusing(f'{self.paths[0]} is broken', BagError):
            super().close()

    def messages(
        self, connections: Collection[Connection] = (), start: int | None = None,
        stop: int | None = None,
    ) -> Generator[tuple[Connection, int, bytes], None, None]:
        """
        Read messages as AnyReader does.

        :raises BagError: where the bag is damaged.
        """
        with _refusing(f'{self.paths[0]} is broken', BagError):
            yield from super().messages(connections, start, stop)

    def messages_on(self, *topics: str | None) -> Iterator[tuple[Connection, int, bytes]]:
        """
        Read the messages of some topics in the order of the recording.

        :param topics: their names; nothing comes of those that the bag does not have.
        :return: connection, time of reception [ns] and bytes of each.
        :raises BagError: where the bag is damaged.
        """
        connections = [c for c in self.connections if c.topic in topics]
        # To AnyReader no connections are all of them.
        return self.messages(connections) if connections else iter(())

    def deserialize(self, rawdata: bytes, typ: str) -> Any:
        """
        Read a message.

        :param rawdata: its bytes.
        :param typ: its type.
        :raises BrokenMessageError: if they do not fit.
        """
        with _refusing(f'{self.paths[0]} has a broken {typ}', BrokenMessageError):
            return super().deserialize(rawdata, typ)


@contextmanager
def _refusing(what: str, kind: type[BagError]) -> Iterator[None]:
    """Turn what rosbags raises into one line."""
    try:
        yield
    except SAID_BY_ROSBAGS as error:
        raise kind(f'{what}: {one_line(error)}') from error
    except DAMAGED as error:
        raise kind(f'{what}: {type(error).__name__} {one_line(error)}') from error


def _problem(connection: Connection) -> str | None:
    """Say what is wrong with what the bag says of a topic."""
    values = topic, kind, count = connection.topic, connection.msgtype, connection.msgcount
    if (all(isinstance(text, str) and text.isprintable() for text in (topic, kind))
            and isinstance(count, int) and count >= 0):
        return None
    return f'must have topics with name, type and number of messages, got {repr(values)[:LONGEST]}'
