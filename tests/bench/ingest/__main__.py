"""`python -m tests.bench.ingest`."""

import sys

from tests.bench import ingest, part

sys.exit(part.run(ingest.measure))
