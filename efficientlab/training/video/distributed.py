"""What data-parallel training sends: measured on real processes, on one machine.

``measure_all_reduce`` starts workers that train a few steps under DistributedDataParallel with the gloo backend over
the loopback interface. A communication hook counts the bytes of every bucket of gradients that is all-reduced. The
workers meet in a file, as ``torchrun``'s own store needs libuv, which PyTorch on Windows is built without; under
``torchrun`` each of them is

    python -m efficientlab.training.video.distributed --model efficientlab.models.video.rivals:TSN

and rank 0 prints one line of JSON.

``torch.distributed.nn`` is imported here because DistributedDataParallel imports it otherwise, once there is a group:
ten of its functions then have that group as a default, `destroy_process_group` cannot end it, and gloo's threads go on
while Python shuts down. One that drops its last tensor there aborts the process.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed.nn  # noqa: F401 (see above)
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


def measure_all_reduce(
    model: str, *, workers: int = 2, clips: int = 4, frames: int = 8, size: int = 32, steps: int = 4
) -> dict[str, Any]:
    """Starts ``workers`` processes that train ``model`` together, and returns what ``train`` reports.

    Args:
        model: "package.module:name" of a class or function that makes the network without arguments.
        workers: processes.
        clips, frames, size: each worker's batch, float (clips, frames, 3, size, size).
        steps: training steps; the first is not timed.

    Raises:
        RuntimeError: a process failed; the sentence ends with its last words.
    """
    command = [sys.executable, "-m", "efficientlab.training.video.distributed", "--model", model]
    command += [f"--clips={clips}", f"--frames={frames}", f"--size={size}", f"--steps={steps}"]
    status, said = _run_together(command, workers)
    if status:
        words = [line for line in said.splitlines() if "Error:" in line] or said.strip().splitlines()[-1:]
        why = words[0].strip() if status > 0 and words else f"signal {-status} ended a process"
        raise RuntimeError(f"Training {model} on {workers} processes failed: {why}")
    report: dict[str, Any] = json.loads(said.splitlines()[-1])
    return report


def _run_together(command: list[str], workers: int) -> tuple[int, str]:
    """Run a command as `workers` ranks: 0 and what rank 0 printed, or a status and the words of one that failed.

    Where one fails, the others would wait for it: they are ended.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [*command, f"--meet={Path(folder, 'store').as_uri()}"]
        processes = []
        for rank in range(workers):
            ranked = {"OMP_NUM_THREADS": "1", **os.environ, "RANK": str(rank), "WORLD_SIZE": str(workers)}
            with (
                Path(folder, f"out{rank}").open("wb") as out,
                Path(folder, f"error{rank}").open("wb") as error,
            ):
                processes.append(subprocess.Popen(command, stdout=out, stderr=error, env=ranked))
        try:
            while None in (codes := [process.poll() for process in processes]) and not any(codes):
                time.sleep(0.02)
        finally:
            for process in processes:
                process.kill()
                process.wait()
        status = min((code for code in codes if code), default=0)  # a signal before the error that it causes
        name = f"error{codes.index(status)}" if status else "out0"
        return status, Path(folder, name).read_text(encoding="utf-8", errors="replace")


def train(network: nn.Module, video: Tensor, label: Tensor, steps: int) -> dict[str, Any]:
    """Trains one replica for a few steps inside an initialised process group.

    Returns:
        workers: processes in the group.
        parameters: of the network, all fp32.
        all_reduced_bytes: bytes of gradients that one worker puts into all-reduces in one step, measured.
        buckets: the number of all-reduces that they travel in.
        buffer_bytes: what rank 0 broadcasts besides before each forward pass (statistics of batch norms).
        step_seconds: median time of a step.
        replicas_agree: whether all workers hold bitwise the same parameters at the end, though each of them
            saw other data.
    """
    sent: list[int] = []  # bytes of each bucket of the present step

    def count(_: None, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
        gradients = bucket.buffer() / dist.get_world_size()
        sent.append(gradients.nbytes)
        dist.all_reduce(gradients)
        # Complete already: no Python is left to gloo's threads.
        done: torch.futures.Future[Tensor] = torch.futures.Future()
        done.set_result(gradients)
        return done

    replica = DistributedDataParallel(network)
    replica.register_comm_hook(None, count)
    optimiser = torch.optim.AdamW(replica.parameters(), lr=1e-3)
    seconds = []
    for _ in range(steps):
        sent.clear()
        start = time.perf_counter()
        optimiser.zero_grad()
        F.cross_entropy(replica(video), label).backward()
        optimiser.step()
        seconds.append(time.perf_counter() - start)

    mine = torch.cat([p.detach().flatten() for p in network.parameters()])
    others = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(others, mine)
    return {
        "workers": dist.get_world_size(),
        "parameters": mine.numel(),
        "all_reduced_bytes": sum(sent),
        "buckets": len(sent),
        "buffer_bytes": sum(b.nbytes for b in network.buffers()),
        "step_seconds": sorted(seconds[1:])[(len(seconds) - 1) // 2],
        "replicas_agree": all(torch.equal(mine, other) for other in others),
    }


def load(model: str) -> nn.Module:
    """Makes the network that "package.module:name" names."""
    module, _, name = model.partition(":")
    if not name:
        raise ValueError(f"--model must be 'package.module:name', got {model!r}.")
    network = getattr(importlib.import_module(module), name)()
    if not isinstance(network, nn.Module):
        raise TypeError(f"{model} made a {type(network).__name__}, not a torch.nn.Module.")
    return network


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="package.module:name of what makes the network")
    parser.add_argument("--clips", type=int, default=4, help="clips a worker and step")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=32, help="pixels a side")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--meet", help="URI of a file in which the workers meet; torchrun's store without it")
    args = parser.parse_args()
    if "RANK" not in os.environ:
        parser.error("start this under torchrun: RANK is not set.")
    if args.steps < 2:
        parser.error(f"--steps must be at least 2, since the first is not timed; got {args.steps}.")

    torch.manual_seed(0)  # the same weights everywhere
    network = load(args.model)
    dist.init_process_group(
        "gloo", args.meet, rank=int(os.environ["RANK"]), world_size=int(os.environ["WORLD_SIZE"])
    )
    try:
        rng = torch.Generator().manual_seed(dist.get_rank())  # but a batch of one's own
        video = torch.randn(args.clips, args.frames, 3, args.size, args.size, generator=rng)
        label = torch.randint(2, (args.clips,), generator=rng)
        report = train(network, video, label, args.steps)
        if dist.get_rank() == 0:
            print(json.dumps({"model": args.model, **report}))
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
