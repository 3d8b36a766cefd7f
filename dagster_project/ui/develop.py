"""`dg dev` with the guarded web server: what `make dev` becomes."""

import sys

from dagster_project.base.env_file import load_env_file
from dagster_project.base.output import unfailing_output
from dagster_project.base.private_files import private_by_default
from dagster_project.patches.dagster_webserver import develop

if __name__ == "__main__":
    unfailing_output()
    load_env_file()
    private_by_default()
    develop("dagster_project.ui", sys.argv[1:])
