"""bn1 and bn2 are exchanged: each convolution has its own norm."""

import torch.nn.functional as F

from efficientlab.models.video.resnet import BasicBlock


class ShiftedBlock(BasicBlock):
    def __init__(self, in_channels, out_channels, stride, shift):
        super().__init__(in_channels, out_channels, stride)
        self.shift = shift

    def forward(self, x):
        branch = self.bn1(self.conv2(F.relu(self.bn2(self.conv1(self.shift(x))))))
        return F.relu(branch + self.shortcut(x))
