"""What an operator deploys: Kafka, Prometheus, Alertmanager. `DEPLOY` is where the files are."""

from pathlib import Path
from typing import Final

DEPLOY: Final = Path(__file__).parent
