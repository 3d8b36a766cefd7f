"""Dagster's web server behind the guard: `python -m dagster_project.ui`.

Takes the options of `dagster-webserver`. `make dev` starts it, with the daemon.
"""

from functools import partial

from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.env_file import load_env_file
from dagster_project.base.environment import clear_environment
from dagster_project.base.output import unfailing_output
from dagster_project.base.private_files import private_by_default
from dagster_project.base.settings import Settings
from dagster_project.patches.dagster_webserver import serve
from dagster_project.ui.guard import Guard

if __name__ == "__main__":
    unfailing_output()
    load_env_file()
    clear_environment()
    private_by_default()
    dagster_home()
    serve(partial(Guard, hosts=Settings().allowed_ui_hosts))
