"""What ROS refuses at the node's start: one line and status 1."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize('text', [
    '/**:\n  ros__parameters:\n    - a\n', '/**:\n  ros__parameters:\n    depth.max:\n',
    None], ids=['list', 'nothing', 'absent'])
def test_a_parameters_file_that_ros_refuses(tmp_path, text):
    path = tmp_path / 'depth.yaml'
    if text is not None:
        path.write_text(text)
    done = subprocess.run(
        [sys.executable, '-m', 'mdepth_ros.ros.depth_node', '--ros-args', '--params-file',
         str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert 'Traceback' not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith('mdepth: error: ')]
    assert len(lines) == 1, done.stderr
