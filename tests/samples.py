"""Samples of the formats that links and visits arrive in. They lie beside a checkout, or their tests are skipped."""

from pathlib import Path
from typing import Final

import pytest

SAMPLES: Final = Path(__file__).parents[2] / "shared" / "formats" / "samples"
with_samples: Final = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples of formats lie beside a checkout")
