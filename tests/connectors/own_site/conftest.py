from collections.abc import Iterator

import pytest

from tests.connectors.own_site.site import Site, running_site


@pytest.fixture
def site() -> Iterator[Site]:
    """Run a site that lists nothing yet."""
    with running_site() as site:
        yield site
