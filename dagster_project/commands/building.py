"""What changes the warehouse: loading, building, publishing, decisions, verification.

Each command takes the settings and its options, returns an exit code, and raises BadInput for what
it refuses. What takes seconds to import is imported when called.
"""

import argparse

from dagster_project.base.errors import BadInput
from dagster_project.base.logs import say
from dagster_project.base.settings import Settings
from dagster_project.ingest.manual_decisions import DECISIONS
from dagster_project.pipeline.run import (
    FAILED,
    PUBLISHED,
    publish_again,
    run,
)
from dagster_project.publication.kept_files import (
    publication_id,
)
from dagster_project.publication.rollback import roll_back
from dagster_project.workbench.connection import open_workbench, write_lock


def run_pipeline(settings: Settings, options: argparse.Namespace) -> int:
    """Load new releases, build and publish."""
    return run(settings, options.reload)


def publish(settings: Settings, _: argparse.Namespace) -> int:
    """Build everything again and publish."""
    return publish_again(settings)


def rebuild_workbench(settings: Settings, options: argparse.Namespace) -> int:
    """Rebuild the workbench from the landing folder and publish."""
    from dagster_project.pipeline.rebuild import rebuild

    return rebuild(settings, force=options.force)


def verify_publication(settings: Settings, options: argparse.Namespace) -> int:
    """Print what was verified. Raises BadInput if there are problems.

    --rebuild: also build the publication again from nothing, and compare.
    """
    from dagster_project.publication.verify import verify

    done = verify(settings)
    for subject, what in done.checked.items():
        say(f"{subject:<13} {what}")
    if done.problems:
        raise BadInput(
            "the publication is not as it was published",
            where=str(settings.warehouse),
            expected="file, tables, objects, gates, downloads and signature as published",
            found="; ".join(done.problems),
            fix="do not use it; activate another publication with `make rollback`, or build and"
            " publish again with `make publish`",
        )
    say("verified")
    return _verify_by_rebuild(settings) if options.rebuild else PUBLISHED


def _verify_by_rebuild(settings: Settings) -> int:
    from dagster_project.pipeline.verification import verify_by_rebuild

    problems = verify_by_rebuild(settings)
    for problem in problems:
        say(f"DIFFERENT {problem}", "ERROR")
    if not problems:
        say(f"publication {publication_id(settings)} equals one that was built from nothing")
    return FAILED if problems else PUBLISHED


def decide(settings: Settings, options: argparse.Namespace) -> int:
    """Reject, accept or forget a release."""
    with write_lock(settings), open_workbench(settings) as con:
        DECISIONS[options.command](con, options.release, options.reason)
    say(f"{options.release}: done. run `make run` to build and publish accordingly")
    return PUBLISHED


def roll_back_publication(settings: Settings, options: argparse.Namespace) -> int:
    """Activate an earlier publication."""
    with write_lock(settings):
        chosen = roll_back(settings, options.to, options.reason)
        say(f"publication {chosen} is live")
        if settings.publish_url:
            _upload_live(settings)
    return PUBLISHED


def upload_publication(settings: Settings, options: argparse.Namespace) -> int:
    """Put the live publication into object storage."""
    with write_lock(settings):
        _upload_live(settings, force=options.force)
    return PUBLISHED


def _upload_live(settings: Settings, *, force: bool = False) -> None:
    """Put the live publication into object storage. Raises BadInput if it does not get there."""
    from dagster_project.publication.upload import upload

    if not settings.publish_url:
        raise BadInput(
            "nowhere to upload to",
            where="ROYALTY_PUBLISH_URL",
            expected="the URL of a folder in object storage: s3://bucket/prefix",
            found="no value",
            fix="set the variable (docs/object-storage.md)",
        )
    done = upload(settings, force=force)
    say(
        f"uploaded {done.publication_id}: {done.url} ({done.objects} objects, {done.bytes:,} bytes;"
        f" {len(done.stored)} written now)"
    )
