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

"""Run a module until the parent is gone: ``python -m mdepth_ros.ros.leash MODULE ARGUMENTS``."""

import os
import runpy
import signal
import sys
import threading

STDIN = 0


def main() -> None:
    """Run the module of the command line as if it were the program."""
    threading.Thread(target=_interrupt_when_stdin_ends, name='leash', daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)


def _interrupt_when_stdin_ends() -> None:
    """Read the pipe whose other end the parent holds, then send SIGINT."""
    # Not by sys.stdin, whose lock a daemon thread would take into the interpreter's end.
    while os.read(STDIN, 1024):
        pass
    # To the thread that runs the handlers, so that it wakes from what it waits for.
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


if __name__ == '__main__':
    main()
