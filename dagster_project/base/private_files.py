"""Who may read and write what the warehouse writes: its owner alone, except what is published."""

import os

PRIVATE = 0o077  # taken from everybody but the owner


def private_by_default() -> None:
    """Make whatever this process and its children create private, whatever their umask was."""
    os.umask(PRIVATE)
