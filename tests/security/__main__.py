"""`make test-fuzz`: see `fuzz.py`."""

import sys

from tests.security.fuzz import main

sys.exit(main())
