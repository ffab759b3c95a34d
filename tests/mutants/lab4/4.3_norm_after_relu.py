"""the first relu stands before its norm: the order is conv1, bn1, relu."""

import torch.nn.functional as F

from efficientlab.models.video.resnet import BasicBlock


class ShiftedBlock(BasicBlock):
    def __init__(self, in_channels, out_channels, stride, shift):
        super().__init__(in_channels, out_channels, stride)
        self.shift = shift

    def forward(self, x):
        branch = self.bn1(F.relu(self.conv1(self.shift(x))))
        branch = self.bn2(self.conv2(branch))
        return F.relu(branch + self.shortcut(x))
