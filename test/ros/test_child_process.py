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

"""A process of ours does not outlive the one that started it."""

import os
import select
import signal
import subprocess
import sys

from harness import wait_for
from mdepth_ros.ros.child_process import ChildProcess, ProcessError
from mdepth_ros.ros.lifecycle_client import LifecycleClient
import pytest

PARENT = """
from pathlib import Path
import sys, time
from mdepth_ros.ros.child_process import ChildProcess
child = ChildProcess('the child', sys.argv[1], sys.argv[3:], Path(sys.argv[2]))
print(child.process.pid, flush=True)
time.sleep(600)
"""


def node_is_there(log):
    with LifecycleClient('/leash/mdepth') as client:
        client.wait_for_node(60.0)


def recorder_is_ready(log):
    assert wait_for(lambda: 'ready' in log.read_text(), 60.0)


@pytest.mark.parametrize(('module', 'words', 'wait'), [
    ('mdepth_ros.ros.depth_node', ['--ros-args', '-r', '__ns:=/leash'], node_is_there),
    ('mdepth_ros.ros.recorder', ['BAG', '/leash/nothing'], recorder_is_ready)],
    ids=['node', 'recorder'])
def test_a_child_ends_when_its_parent_is_killed(tmp_path, module, words, wait):
    log = tmp_path / 'log'
    words = [str(tmp_path / 'bag') if word == 'BAG' else word for word in words]
    parent = subprocess.Popen([sys.executable, '-c', PARENT, module, str(log), *words],
                              stdout=subprocess.PIPE, text=True)
    child = os.pidfd_open(int(parent.stdout.readline()))
    try:
        wait(log)
        parent.kill()
        parent.wait()
        assert select.select([child], [], [], 30.0)[0], log.read_text()
    finally:
        parent.kill()
        if not select.select([child], [], [], 0)[0]:
            signal.pidfd_send_signal(child, signal.SIGKILL)
        os.close(child)
    assert 'Traceback' not in log.read_text()


def test_a_child_is_the_module_that_was_asked_for(tmp_path):
    child = ChildProcess('json', 'json.tool', ['--help'], tmp_path / 'log')
    assert child.wait(20.0) == 0
    assert child.log_text().startswith('usage: ')
    with pytest.raises(ProcessError, match=r'json ended with status 0; its last lines:\n'):
        child.check()
