"""`python -m tests.bench.state`."""

import sys

from tests.bench import part, state

sys.exit(part.run(state.measure))
