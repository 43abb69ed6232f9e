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

"""Where the networks run."""

from mdepth_ros.errors import MdepthError
import torch


def choose_device(name: str) -> torch.device:
    """
    Turn a user's word into a device that is really there.

    :param name: ``auto`` (CUDA where there is one, else the CPU), or a name that torch knows.
    :return: the device.
    :raises MdepthError: if torch does not know the name, or the device is absent.
    """
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise MdepthError(f"device must be 'auto', 'cpu' or 'cuda[:N]', got {name!r}") from error
    if device.type not in ('cpu', 'cuda'):
        raise MdepthError(f"device must be 'auto', 'cpu' or 'cuda[:N]', got {name!r}")
    if device.type == 'cuda' and (device.index or 0) >= torch.cuda.device_count():
        raise MdepthError(f'device is {name!r}, but torch {torch.__version__} sees '
                          f'{torch.cuda.device_count()} CUDA devices')
    return device
