"""The ingest alone, as the main job does it: hash, layout, rows and ledger entry in one transaction.

`python -m benchmarks.ingest`, on the folders of the environment (`ROYALTY_*`).
"""

from dagster_project.base.settings import Settings
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.pending_releases import releases_of
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench, write_lock

if __name__ == "__main__":
    settings = Settings()
    source = all_sources()["oecd_wto_batis"]
    (release,), problems = releases_of(source, settings.landing_dir)
    assert not problems, problems
    with write_lock(settings), open_workbench(settings) as con:
        print(load_release(con, source, release).rows)
