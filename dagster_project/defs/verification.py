"""The job that builds the live publication again, and its schedule, which starts switched off."""

import subprocess
import sys

import dagster as dg

from dagster_project.base.settings import PROJECT_ROOT


@dg.op
def build_again_and_compare(context: dg.OpExecutionContext) -> None:
    """Verify the live publication, in a process of its own: the build has runs of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "dagster_project", "verify", "--rebuild"],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    context.log.info("\n".join(lines[-100:]))
    if done.returncode:
        wrong = [line for line in lines if line.startswith(("DIFFERENT", "REFUSED", "FAILED"))]
        raise dg.Failure("\n".join(wrong or lines[-20:]), allow_retries=False)


@dg.job(name="verify_by_rebuild", executor_def=dg.in_process_executor)
def verification_job() -> None:
    """Build the live publication again from its files, in a temporary folder, and compare.

    Takes as long as `make rebuild`, and writes nothing to the warehouse.
    """
    build_again_and_compare()


verification_schedule = dg.ScheduleDefinition(
    name="verify_by_rebuild",
    job=verification_job,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,  # with automation, too: it takes long
    description="Proves every night that the live publication equals one built from nothing.",
)
