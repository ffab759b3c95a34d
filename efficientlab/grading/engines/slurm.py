"""A Slurm job array through submitit: each job grades a share of the batch and writes its records itself.

Jobs, the submissions and `out` must be on a file system that all nodes see. A job that dies loses the submission that
it was at; a second run grades what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from efficientlab.grading.grader import Grader, Plan, broken_record
from efficientlab.grading.record import Incoming, Record, record_path


class SlurmEngine:
    """Spreads a batch over `jobs` array jobs of one core each; `minutes` is the time limit of one.

    `cluster` is submitit's: None finds Slurm, `local` runs the jobs as processes of this machine. Partition and account
    are read by Slurm itself, from SBATCH_PARTITION and SBATCH_ACCOUNT.
    """

    def __init__(self, jobs: int = 16, minutes: int = 240, cluster: str | None = None) -> None:
        self.jobs = jobs
        self.minutes = minutes
        self.cluster = cluster

    def run(self, plan: Plan, batch: Sequence[Incoming], out: Path) -> Iterator[Record]:
        """Yield each job's records when it has ended."""
        import submitit

        executor = submitit.AutoExecutor(folder=out / "slurm" / "%j", cluster=self.cluster)
        memory = 2 + plan.limits.memory / 1e9  # GB: supervisor, fork server and one box
        executor.update_parameters(
            name="efficientlab", timeout_min=self.minutes, cpus_per_task=1, mem_gb=memory
        )
        shares = [list(batch[i :: self.jobs]) for i in range(min(self.jobs, len(batch)))]
        with executor.batch():
            jobs = [executor.submit(grade_share, plan, share, out) for share in shares]
        share_of = dict(zip(jobs, shares, strict=True))
        for job in submitit.helpers.as_completed(jobs):
            problem = job.exception()
            for one in share_of[job]:
                yield _saved(one, plan, out) or broken_record(
                    one, plan, f"its Slurm job failed: {problem!r}"[:500]
                )


def grade_share(plan: Plan, share: Sequence[Incoming], out: Path) -> int:
    """What one job does; returns the number of its records."""
    with Grader(plan) as grader:
        for one in share:
            grader.grade(one).save(out)
    return len(share)


def _saved(one: Incoming, plan: Plan, out: Path) -> Record | None:
    try:
        record = Record.load(record_path(out, one.id))
    except (OSError, ValueError):
        return None
    return record if (record.sha256, record.seed) == (one.sha256, plan.seed) else None
