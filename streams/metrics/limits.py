"""How many values a label may have.

With the default watch list they keep a worker below
5,000 series, however many articles it has.
"""

from typing import Final

SERIES_LABELLED_MAX: Final = 40
GROUPS_LABELLED_MAX: Final = 50
SOURCES_LABELLED_MAX: Final = 50
MONTHS_LABELLED_MAX: Final = 24
STRATEGIES_LABELLED_MAX: Final = 10

OTHER: Final = "other"
