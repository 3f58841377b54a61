"""`python -m tests.bench.latency`."""

import sys

from tests.bench import latency, part

sys.exit(part.run(latency.measure))
