"""Which site an article is on, by the site records that are known."""

from collections.abc import Iterator, Sequence

import msgspec

from flatline.domain.urls.canonical import canonicalize_field
from flatline.schema import codec
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.site_record import SiteRecord

_SCHEME = "https://"


def canonical_domain(text: str, *, field: str) -> str:
    """Return the canonical host of a domain, or of the URL of a front page. Raise `Rejected`, naming the field."""
    text = text.strip()
    if "@" in text:
        raise Rejected(Reason.INVALID_URL, f"{field}: an address of mail, or one with a user in it, is no domain")
    url = text if "://" in text else f"{_SCHEME}{text}"
    canonical = canonicalize_field(url, field=field)
    host = host_of(canonical)
    if canonical != f"{_SCHEME}{host}/":
        raise Rejected(Reason.INVALID_VALUE, f"{field}: a domain without a path, such as blog.example")
    return host


def host_of(canonical_url: str) -> str:
    """Return the host of a canonical URL, with its port if it has one."""
    return canonical_url.split("/", 3)[2]


def checked(record: SiteRecord) -> SiteRecord:
    """Return a record with canonical domains. Raise `Rejected` for what is none, and for listings that are no URLs."""
    for listing in record.listings:
        canonicalize_field(listing, field="listings")
    domain = canonical_domain(record.domain, field="domain")
    aliases = dict.fromkeys(canonical_domain(alias, field="aliases") for alias in record.aliases)
    aliases.pop(domain, None)
    return msgspec.structs.replace(record, domain=domain, aliases=list(aliases))


def series_at(record: SiteRecord, path: str) -> str | None:
    """Return the series of the articles at a path of the site; None where no rule covers it."""
    covering = [rule for rule in record.series if _covers(rule.path.rstrip("/"), path)]
    return max(covering, key=lambda rule: len(rule.path.rstrip("/"))).series if covering else None


def _covers(prefix: str, path: str) -> bool:
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/", "?")


class Sites:
    """All site records that are known.

    ``version``  grows with each change: whoever knows it knows whether to look again
    ``ignored_parameters_version``  the same for `ignored_parameters`; 0: no site ever had some
    """

    def __init__(self) -> None:
        self._records: dict[bytes, SiteRecord] = {}  # by key, in the order in which they came
        self._by_host: dict[str, SiteRecord] | None = {}  # None: to be made anew
        self.version = 0
        self.ignored_parameters_version = 0

    def __iter__(self) -> Iterator[SiteRecord]:
        """Return the records that hold, by domain."""
        newest = {record.domain: record for record in self._records.values()}
        return iter(sorted(newest.values(), key=lambda record: record.domain))

    def receive_record(self, key: bytes, value: bytes | None, _recorded_ms: int = 0) -> None:
        """Take a record of the topic, or a tombstone. Raise `Rejected`."""
        record = None if value is None else checked(codec.sites.decode(value))
        former = self._records.pop(key, None)
        if record is not None:
            self._records[key] = record
        self._by_host = None
        self.version += 1
        # Also where a record without them now covers a host of one that has some.
        if any(each.ignored_parameters for each in (former, *self._records.values()) if each is not None):
            self.ignored_parameters_version += 1

    def at(self, host: str) -> SiteRecord | None:
        """Return the record of a canonical host: its own, or that of the nearest domain above it."""
        if self._by_host is None:
            self._by_host = self._hosts()
        if not self._by_host:
            return None
        while host:
            record = self._by_host.get(host)
            if record is not None:
                return record
            host = host.partition(".")[2]
        return None

    def of(self, article: str) -> SiteRecord | None:
        """Return the record of an article's site, by its canonical URL."""
        return self.at(host_of(article)) if self._records else None

    def ignored_parameters(self, host: str) -> Sequence[str]:
        """Return the query parameters that name no article of a canonical host, in the words of its record."""
        record = self.at(host)
        return () if record is None else record.ignored_parameters

    def series_of(self, article: str) -> str | None:
        """Return the series that the rules of its site give to an article."""
        record = self.of(article)
        return None if record is None else series_at(record, article[len(_SCHEME) + len(host_of(article)) :])

    def is_peer(self, article: str) -> bool:
        """Whether an article is on a site that is only watched for comparison."""
        record = self.of(article)
        return record is not None and record.role == "peer"

    def _hosts(self) -> dict[str, SiteRecord]:
        """Return the records by all their hosts. A domain counts more than an alias, then the first domain."""
        records = list(self)
        hosts = {alias: record for record in reversed(records) for alias in record.aliases}
        return hosts | {record.domain: record for record in records}
