"""Plugin of pytest for `mutations.py`: takes a protection out before anything imports it."""

import os

from tests.security.mutations import NUMBER, install

install(int(os.environ[NUMBER]))
