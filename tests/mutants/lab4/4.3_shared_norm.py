"""bn1 normalises both convolutions: the second one has its own, bn2."""

import torch.nn.functional as F

from efficientlab.models.video.resnet import BasicBlock


class ShiftedBlock(BasicBlock):
    def __init__(self, in_channels, out_channels, stride, shift):
        super().__init__(in_channels, out_channels, stride)
        self.shift = shift

    def forward(self, x):
        branch = F.relu(self.bn1(self.conv1(self.shift(x))))
        branch = self.bn1(self.conv2(branch)) if self.bn1.num_features == self.conv2.out_channels else branch
        return F.relu(branch + self.shortcut(x))
