from mdepth_ros.engine.device import choose_device
from mdepth_ros.errors import MdepthError
import pytest
import torch


def test_auto_takes_what_there_is():
    assert choose_device('auto').type == ('cuda' if torch.cuda.is_available() else 'cpu')
    assert choose_device('cpu') == torch.device('cpu')


@pytest.mark.parametrize('name', ['', 'gpu', 'CUDA', 'cuda:', 'cuda:-1', 'meta', 'mps', 'cpu:x'])
def test_unknown_names_are_refused_with_the_known_ones(name):
    with pytest.raises(MdepthError, match=r"device must be 'auto', 'cpu' or 'cuda\[:N\]', got"):
        choose_device(name)


def test_an_absent_gpu_is_no_silent_cpu():
    with pytest.raises(MdepthError, match=r"device is 'cuda:99', but torch .* sees \d+ CUDA"):
        choose_device('cuda:99')
