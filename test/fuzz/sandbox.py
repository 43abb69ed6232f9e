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

"""A folder for one case, and the proof that nothing was written outside of what it may fill."""

import os
import sys
import tempfile

READ_ONLY = ('in', 'cwd', 'canary')
WRITABLE = ('out/result', 'tmp')
# Events of Python that write: where their paths are among the arguments.
PATHS = {'os.mkdir': (0,), 'os.rename': (0, 1), 'os.remove': (0,), 'os.rmdir': (0,),
         'os.link': (1,), 'os.symlink': (1,), 'os.truncate': (0,), 'os.chmod': (0,),
         'os.utime': (0,), 'shutil.rmtree': (0,), 'sqlite3.connect': (0,)}
PROCESSES = ('os.system', 'os.exec', 'os.fork', 'os.posix_spawn', 'subprocess.Popen', 'pty.spawn')


class Escape(Exception):
    """Something was written or started that should not have been."""


class Sandbox:
    """
    Where one case works: ``in``, ``cwd`` and ``canary`` must stay as they are, ``out`` is free.

    What Python does is heard from its audit events, what libraries do is seen on the disk.
    """

    def __init__(self, home):
        self._home = home
        self._allowed = None
        self._heard = []
        sys.addaudithook(self._hear)

    def enter(self, folder):
        """Make the folders."""
        for name in (*READ_ONLY, 'out', 'tmp'):
            (folder / name).mkdir()
        (folder / 'canary/file').write_text('as it was')
        return folder

    def watch(self, folder, action):
        """Call the action with its folder as sandbox; raises Escape for what it did elsewhere."""
        before, self._heard = self._outside(folder), []
        os.chdir(folder / 'cwd')
        tempfile.tempdir = str(folder / 'tmp')
        self._allowed = tuple(str(folder / name) for name in WRITABLE)
        try:
            return action()
        finally:
            self._allowed = tempfile.tempdir = None
            os.chdir(folder)
            changed = before ^ self._outside(folder)
            if changed or self._heard:
                raise Escape('; '.join([*self._heard, *(name for name, *_ in sorted(changed))]))

    def _outside(self, folder):
        """Return what lies around, with sizes and times."""
        found = {(path.name, 0, 0) for path in folder.parent.iterdir()}
        found |= {(path.name, 0, 0) for path in folder.iterdir()}
        found |= {(f'out/{path.name}', 0, 0) for path in (folder / 'out').iterdir()
                  if path.name != 'result'}
        for root in (*(folder / name for name in READ_ONLY), self._home):
            for path in root.rglob('*'):
                stat = path.lstat()
                size = 0 if path.is_dir() else stat.st_size
                found.add((str(path), size, 0 if path.is_dir() else stat.st_mtime_ns))
        return frozenset(found)

    def _hear(self, event, arguments):
        """Take one audit event; it must not raise, or it would change what is tested."""
        if self._allowed is None:
            return
        if event in PROCESSES:
            self._heard.append(f'{event} {arguments!r}'[:300])
        elif event == 'open' and _writes(arguments[1], arguments[2]):
            self._check(event, arguments[0])
        # shutil.rmtree, which is heard itself, names files relative to an open folder.
        elif event in PATHS and not (event in ('os.remove', 'os.rmdir') and arguments[1] != -1):
            for place in PATHS[event]:
                self._check(event, arguments[place])

    def _check(self, event, path):
        if not isinstance(path, str | bytes | os.PathLike) or path == '/dev/null':
            return  # an open file's number
        name = os.path.abspath(os.fsdecode(path))
        if not any(name == allowed or name.startswith(allowed + os.sep)
                   for allowed in self._allowed):
            self._heard.append(f'{event} {name}')


def _writes(mode, flags):
    """Whether a file is opened for more than reading."""
    if isinstance(mode, str) and set(mode) & set('wax+'):
        return True
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
