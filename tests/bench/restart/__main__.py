"""`python -m tests.bench.restart`."""

import sys

from tests.bench import part, restart

sys.exit(part.run(restart.measure))
