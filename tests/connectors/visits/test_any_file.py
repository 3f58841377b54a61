"""Whatever a file holds, reading it gives records, rejected rows, or an error that says what is wrong."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.errors import ConnectorError
from flatline_connectors.files.lines import LineFile
from flatline_connectors.files.visits.reading import Options, VisitFiles
from flatline_connectors.files.visits.redaction import without_persons
from flatline_connectors.files.visits.totals import Sites
from flatline_connectors.sending import visits
from tests.connectors.visits.reading import SITES, TODAY
from tests.connectors.visits.test_exports import MATOMO_VISIT
from tests.connectors.visits.test_logs import CLOUDFLARE, line

WHOLE = [
    line(),
    CLOUDFLARE.format(time=1_795_514_400, more=""),
    "Date,Landing page,Session source / medium,Sessions\n20261124,/a,news.example / referral,3\n",
    (
        '{"results":[{"dimensions":["2026-11-24","/a","b.example"],"metrics":[1]}],"query":{"dimensions":["time:day",'
        '"event:page","visit:referrer"],"metrics":["visits"]}}'
    ),
    '{"2026-11-24":[{"label":"news.example","nb_visits":3}]}',
    json.dumps([MATOMO_VISIT]),
]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def check(content: bytes) -> None:
    """Read a file; anything but a `ConnectorError` is a fault."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        reading = VisitFiles(Options(TODAY, sites=Sites(SITES), article="https://pub.example/a"))
        with suppress(ConnectorError):
            for line in reading.read(LineFile(path)):
                assert line.number > 0
            for record in reading.records():
                visits.prepare(record)


@given(st.sampled_from(WHOLE), st.integers(0, 400), st.integers(0, 20), st.binary(max_size=8))
def test_damaged_files(whole: str, at: int, length: int, instead: bytes) -> None:
    """A piece of a good file is replaced by anything."""
    content = whole.encode()
    at = min(at, len(content))
    check(whole.encode() + content[:at] + instead + content[at + length :])
    check(content[:at] + instead + content[at + length :])


@given(st.sampled_from(WHOLE[3:]), st.data())
def test_documents_with_any_members(whole: str, data: st.DataObject) -> None:
    """A member of a document is anything."""
    document = json.loads(whole)
    place = document
    while isinstance(place, (dict, list)) and place:
        key = data.draw(st.sampled_from(sorted(place))) if isinstance(place, dict) else 0
        if data.draw(st.booleans()) or not isinstance(place[key], (dict, list)):
            place[key] = data.draw(JSON_VALUES)
            break
        place = place[key]
    check(json.dumps(document).encode())


@given(st.ip_addresses().map(str), st.sampled_from(["{}", "x {} y", '"{}"', "{},{}", "[{}]:443", "{}:443"]))
def test_no_address_is_kept(address: str, around: str) -> None:
    """Wherever an IP address stands in a line, it is taken out."""
    if around == "{}:443" and ":" in address:
        return  # nobody can tell where the address ends
    assert address not in without_persons(around.format(address, address).encode()).decode()
