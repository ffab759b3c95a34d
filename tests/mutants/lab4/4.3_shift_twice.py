"""the branch was shifted twice: the shift stands before conv1, and not before conv2 as well."""

import torch.nn.functional as F

from efficientlab.models.video.resnet import BasicBlock


class ShiftedBlock(BasicBlock):
    def __init__(self, in_channels, out_channels, stride, shift):
        super().__init__(in_channels, out_channels, stride)
        self.shift = shift

    def forward(self, x):
        branch = F.relu(self.bn1(self.conv1(self.shift(x))))
        branch = self.bn2(self.conv2(self.shift(branch)))
        return F.relu(branch + self.shortcut(x))
