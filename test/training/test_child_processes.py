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

"""Whatever ends a process, those that it started do not outlive it."""

import multiprocessing
import operator
import os
import signal
import subprocess
import sys
import textwrap
import time

from mdepth_ros.training.child_processes import end_with_parent, ending_children, process_pool
import pytest

PARENT = textwrap.dedent("""
    import multiprocessing, os, time
    from mdepth_ros.training.child_processes import end_with_parent

    def work(pipe):
        end_with_parent()
        pipe.send(os.getpid())
        time.sleep(60)

    if __name__ == '__main__':
        context = multiprocessing.get_context('spawn')
        here, there = context.Pipe()
        context.Process(target=work, args=(there,)).start()
        print(here.recv(), flush=True)
        time.sleep(60)
""")


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_a_killed_parent_takes_its_child_along(tmp_path):
    script = tmp_path / 'parent.py'
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, signal.SIGINT)  # as a terminal would: the child leaves it to its parent
        time.sleep(0.2)
        assert alive(child)
        parent.kill()
        assert wait_until(lambda: not alive(child))


def test_a_process_without_such_a_parent_is_left_alone():
    before = signal.getsignal(signal.SIGINT)
    end_with_parent()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize('reason', [KeyboardInterrupt, ValueError])
def test_an_exception_ends_the_children_that_were_started_inside(reason):
    context = multiprocessing.get_context('forkserver')
    other, child = (context.Process(target=time.sleep, args=(60,)) for _ in range(2))
    other.start()

    def leave():
        with ending_children():
            child.start()
            raise reason

    with pytest.raises(reason):
        leave()
    assert not child.is_alive()
    assert other.is_alive()
    other.kill()
    other.join()


def test_a_job_that_fails_ends_the_others():
    def work():
        with process_pool(2) as pool:
            pool.submit(time.sleep, 120)
            pool.submit(operator.floordiv, 1, 0).result()

    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        work()
    assert time.monotonic() - began < 90
