"""The labs' exercises, and the checks behind them.

Triton decides when it is first imported whether its functions are interpreted, and `torch.utils.flop_counter` imports
it. So the choice is made here, before any exercise is: without a GPU, kernels run in Triton's interpreter.
"""

import os

import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")
