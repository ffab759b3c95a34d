"""the shortcut is missing from the sum."""

import torch.nn.functional as F

from efficientlab.models.video.resnet import BasicBlock


class ShiftedBlock(BasicBlock):
    def __init__(self, in_channels, out_channels, stride, shift):
        super().__init__(in_channels, out_channels, stride)
        self.shift = shift

    def forward(self, x):
        branch = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(self.shift(x))))))
        return F.relu(branch)
