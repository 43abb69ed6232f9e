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

from mdepth_ros.engine.camera import Camera
from mdepth_ros.engine.camera_yaml import read_camera_yaml, write_camera_yaml
from mdepth_ros.errors import BadCamera
import numpy as np
import pytest
import yaml

# As camera_calibration's cameracalibrator writes it.
CALIBRATION = """\
image_width: 640
image_height: 480
camera_name: head_camera
camera_matrix:
  rows: 3
  cols: 3
  data: [438.78, 0.     , 305.59,
         0.    , 437.35 , 243.73,
         0.    , 0.     , 1.    ]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.36, 0.11, 0.0011, 0.00053, 0.]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1., 0., 0.,
         0., 1., 0.,
         0., 0., 1.]
projection_matrix:
  rows: 3
  cols: 4
  data: [393.65, 0.    , 322.79, 0.,
         0.    , 396.29, 241.09, 0.,
         0.    , 0.    , 1.    , 0.]
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'camera.yaml'


def written(path, **changes):
    content = yaml.safe_load(CALIBRATION)
    for name, value in changes.items():
        content.pop(name)
        if value is not None:
            content[name] = value
    path.write_text(yaml.safe_dump(content))
    return path


def test_reads_what_camera_calibration_writes(path):
    path.write_text(CALIBRATION)
    camera = read_camera_yaml(path)
    assert (camera.width, camera.height, camera.distortion_model) == (640, 480, 'plumb_bob')
    assert camera.K[0].tolist() == [438.78, 0.0, 305.59]
    assert camera.distortion.tolist() == [-0.36, 0.11, 0.0011, 0.00053, 0.0]
    assert camera.P[1].tolist() == [0.0, 396.29, 241.09, 0.0]


@pytest.mark.parametrize('camera', [
    Camera.from_fov(640, 480, 71.3),
    Camera(640, 480, np.diag([1 / 3, 2e5, 1.0]), [1e-17, 0.1, -0.2, 0.3], 'equidistant',
           R=[[0, -1, 0], [1, 0, 0], [0, 0, 1]], P=np.eye(3, 4) * 1.0),
])
def test_round_trip_keeps_every_digit(camera, path):
    write_camera_yaml(camera, path)
    assert read_camera_yaml(path) == camera


def test_every_problem_is_named_at_once(path):
    written(path, image_width='wide', distortion_model=None, camera_matrix=None,
            projection_matrix={'rows': 3, 'cols': 3, 'data': [1.0] * 9},
            rectification_matrix={'rows': 3, 'cols': 3, 'data': [1.0] * 8 + ['x']})
    with pytest.raises(BadCamera) as error:
        read_camera_yaml(path)
    text = str(error.value)
    assert str(path) in text
    for part in ("image_width must be a whole number > 0, got 'wide'",
                 'distortion_model must be a text, got nothing',
                 'camera_matrix must have rows: 3, cols: 3',
                 'projection_matrix must have rows: 3, cols: 4 and data: [rows x cols numbers], '
                 'got rows: 3, cols: 3, data: 9 entries',
                 'rectification_matrix must have'):
        assert part in text
    assert 'image_height' not in text
    assert '\n' not in text


@pytest.mark.parametrize(('changes', 'text'), [
    ({'image_height': True}, 'image_height must be a whole number > 0, got True'),
    ({'image_height': -480}, 'got -480'),
    ({'distortion_coefficients': {'rows': 1, 'cols': 5, 'data': [0.0] * 4}}, '4 entries'),
    ({'distortion_coefficients': {'rows': 1, 'cols': 3, 'data': [0.0] * 3}}, 'coefficients'),
    ({'distortion_coefficients': {'rows': 1, 'cols': 1, 'data': 0.0}}, 'data: 0.0'),
    ({'distortion_model': 'fov', 'projection_matrix': {'rows': 3, 'cols': 4,
                                                       'data': [0.0] * 12}},
     "unknown distortion_model 'fov'"),
    ({'camera_matrix': [1, 2, 3]}, r'got \[1, 2, 3\]'),
    ({'camera_matrix': {'rows': 3, 'cols': 3, 'data': [0.0] * 9}}, 'not calibrated'),
    ({'camera_matrix': {'rows': 3, 'cols': 3, 'data': [float('nan')] * 9}}, 'finite'),
])
def test_bad_values(changes, text, path):
    with pytest.raises(BadCamera, match=text):
        read_camera_yaml(written(path, **changes))


@pytest.mark.parametrize('content', [b'', b'- 1\n- 2', b'a: [1', b'\xff\xfe\x00', b'a: !!python/x',
                                     b'just text'])
def test_files_that_are_no_camera(content, path):
    path.write_bytes(content)
    with pytest.raises(BadCamera, match=r'camera\.yaml'):
        read_camera_yaml(path)


def test_missing_file(path):
    with pytest.raises(BadCamera, match=r'cannot read the camera file: .*No such file'):
        read_camera_yaml(path)
