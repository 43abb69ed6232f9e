"""The networks of a profile, together."""

from mdepth_ros.config import ModelConfig
from mdepth_ros.networks.multi_frame import MultiFrameNet
from mdepth_ros.networks.pose import PoseNet
from mdepth_ros.networks.single_frame import SingleFrameNet
from mdepth_ros.networks.trust import TrustNet
from torch import nn


class DepthModel(nn.Module):
    """
    S-DepthNet, PoseNet, M-DepthNet and what blends them; stored in one checkpoint.

    It has no ``forward``: training and inference call them in different orders. It has no
    ``multi`` where the configuration says so.

    :param config: the architecture.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.single = SingleFrameNet(config)
        self.pose = PoseNet(config)
        if config.multi_frame:
            self.multi = MultiFrameNet(config)
        # It learns where the truth is known, not in the self-supervised stages.
        self.trust = TrustNet(self.single.feature_channels).requires_grad_(False)
