"""Every picture with controls of the labs, as their notebooks make it, on networks that ship or that learnt nothing."""

SHARED = """
from functools import partial
import torch
from efficientlab.viz.explore import explore
from efficientlab.viz.style import use_style
use_style()
torch.set_num_threads(1)
"""

WIDGETS = {  # of which lab, and what it draws with: the cell
    "lab0 where_it_lies": """
from torch import nn
from efficientlab.counters import measure, plot_roofline
from efficientlab.counters.roofline import Roofline
import matplotlib.pyplot as plt
def where_it_lies(channels, kernel, groups, side):
    with torch.device("meta"):
        layer = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=groups, bias=False)
        cost = measure(layer, torch.empty(1, channels, side, side), time=False)
    figure, ax = plt.subplots(figsize=(6, 3.3))
    plot_roofline(Roofline("cpu", "float32", 1e11, 1e10), {"convolution": cost}, ax)
    return figure
explore(where_it_lies, channels=(64, 16, 256), kernel=(3, 1, 5), groups=(16, 1, 8), side=(56, 7, 28))
""",
    "lab1 width_explorer": """
from efficientlab.models.gan.pretrained import load_super_student
from efficientlab.viz.gan.translation_demo import width_explorer
explore(
    partial(width_explorer, load_super_student(), torch.zeros(2, 1, 32, 32), lambda config, size, separable: 1),
    outside=(12, 8, 16),
    inside=(12, 8, 16),
)
""",
    "lab1 edited_drawing": """
from efficientlab.models.gan.pretrained import load_teacher
from efficientlab.viz.gan.translation_demo import edited_drawing
drawings = torch.full((2, 1, 32, 32), -1.0)
drawings[0, 0, 8:20, 8:20] = drawings[1, 0, 4:24, 12:16] = 1
explore(
    partial(edited_drawing, {"teacher": load_teacher()}, drawings), drawing=(0, 1), taller=(0, 2, 4), right=(0, -4, 4)
)
""",
    "lab3 draw_policy": """
from efficientlab.datasets.gan.few_shot import people_few_shot
from efficientlab.viz.gan.augment import draw_policy
explore(
    partial(draw_policy, people_few_shot(100).train[27]),
    brightness=(0.25, -0.5, 0.5),
    saturation=(0.4, 0.0, 2.0),
    contrast=(1.25, 0.5, 1.5),
    rows=(3, -4, 4),
    columns=(-2, -4, 4),
    hole=("right", "none", "centre", "corner"),
)
""",
    "lab4 draw_shift": """
from efficientlab.viz.video.shift import draw_shift
explore(draw_shift, fold_div=(8, 2, 4, 16), direction=("both", "past only"))
""",
    "lab4 stream_player": """
from efficientlab.datasets.video.arrowset import CLASS_NAMES, arrowset
from efficientlab.viz.video.streaming import stream_player
clips = arrowset("test", 4)
answers = torch.randn(4, 8, len(CLASS_NAMES)).softmax(-1)
explore(partial(stream_player, clips.video, answers, CLASS_NAMES), clip=(0, 1, 2, 3), frame=(8, *range(1, 8)))
""",
    "lab5 draw_voxels": """
from efficientlab.viz.points.clouds import draw_voxels
explore(partial(draw_voxels, torch.randn(3, 300)), resolution=(16, 4, 8, 32))
""",
    "lab6 voxel_size": """
from efficientlab.datasets.streets.clouds import street_clouds
from efficientlab.datasets.streets.things import LABELS
from efficientlab.viz.streets.voxels import voxel_size
scan = street_clouds("test", 1, points=2048)
explore(partial(voxel_size, scan.points[0], scan.part[0], len(LABELS)), size=(0.4, 0.1, 0.2, 0.8, 1.6))
""",
    "lab7 pixel_on_the_ground": """
from efficientlab.datasets.streets.labels import GRID
from efficientlab.datasets.streets.views import street_views
from efficientlab.models.streets.camera import CameraBranch
from efficientlab.viz.streets.ground import pixel_on_the_ground
one = street_views("test", 1)
explore(
    partial(pixel_on_the_ground, one, CameraBranch(1, GRID).points(one)[0]),
    camera=(0, 1, 2, 3),
    column=(30, *range(0, 48, 8)),
    row=(11, 6, 8, 10, 12, 14),
)
""",
    "lab7 out_of_place": """
from efficientlab.viz.streets.calibration import calibration_picture
def out_of_place(degrees, metres):
    return calibration_picture(one.misplaced(degrees=degrees, metres=metres), {"truth": one.map[0]})
explore(out_of_place, degrees=(5.0, 0.0, 1.0), metres=(0.0, 0.25, 1.0))
""",
}
