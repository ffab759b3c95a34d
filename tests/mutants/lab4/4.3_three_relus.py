"""there is a relu before the sum as well as after it: the branch ends with bn2."""

import torch.nn.functional as F

from efficientlab.models.video.resnet import BasicBlock


class ShiftedBlock(BasicBlock):
    def __init__(self, in_channels, out_channels, stride, shift):
        super().__init__(in_channels, out_channels, stride)
        self.shift = shift

    def forward(self, x):
        branch = F.relu(self.bn1(self.conv1(self.shift(x))))
        branch = F.relu(self.bn2(self.conv2(branch)))
        return F.relu(branch + self.shortcut(x))
