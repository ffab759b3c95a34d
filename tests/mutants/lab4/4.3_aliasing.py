"""the shifted features were written into x, so the shortcut, which reads the same storage, is shifted too."""

import torch.nn.functional as F

from efficientlab.models.video.resnet import BasicBlock


class ShiftedBlock(BasicBlock):
    def __init__(self, in_channels, out_channels, stride, shift):
        super().__init__(in_channels, out_channels, stride)
        self.shift = shift

    def forward(self, x):
        branch = x.copy_(self.shift(x))
        branch = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(branch)))))
        return F.relu(branch + self.shortcut(x))
