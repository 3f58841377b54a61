"""Names of the simulated articles, their authors, and the sites that link to them."""

from typing import Final, NamedTuple


class Series(NamedTuple):
    """A series: the form of its titles, strategy, least important tier, and the crawler that finds its links."""

    name: str
    title: str
    crawler: str
    strategy: str
    tier: int = 3


FIELD_NOTES: Final = Series("Field Notes", "Field notes on {}", "crawler-north", "experience", tier=1)
Q_AND_A: Final = Series("Q&A", "Q&A: {}", "crawler-east", "explanation")
POST_MORTEMS: Final = Series("Post-Mortems", "What went wrong with our {}", "crawler-east", "experience")
ALL_SERIES: Final = (
    FIELD_NOTES,
    Series("How It Works", "How {} work", "crawler-north", "explanation"),
    Q_AND_A,
    POST_MORTEMS,
    Series("Deep Dives", "Deep dive: {}", "crawler-west", "explanation"),
    Series("Lab Letters", "A year of {}", "crawler-west", "experience"),
)
CRAWLERS: Final = tuple(dict.fromkeys(series.crawler for series in ALL_SERIES))
SUBJECTS: Final = (
    "access tokens",
    "background jobs",
    "bloom filters",
    "build caches",
    "cache keys",
    "canary releases",
    "connection pools",
    "dashboards",
    "design reviews",
    "error budgets",
    "feature flags",
    "file formats",
    "load tests",
    "log levels",
    "memory leaks",
    "message queues",
    "monorepos",
    "rate limits",
    "read replicas",
    "release trains",
    "retry storms",
    "schema changes",
    "search indexes",
    "soft deletes",
    "static sites",
    "time zones",
    "type systems",
    "write-ahead logs",
)
AUTHORS: Final = ("Mara Lindqvist", "Tomás Ferreira", "Aiko Brandt", "Şana Yildiz", "Jonas Okafor", "Elif Moreau")

_SITE: Final = "https://journal.simulated.example"
_SITES_OF_A_CRAWLER: Final = 600


def title_of(series: Series, subject: str) -> str:
    """Return the title of an article; titles are unique."""
    return series.title.format(subject)


def article_url(series: Series, subject: str) -> str:
    """Return the address of an article."""
    section = series.name.lower().replace(" ", "-").replace("&", "-and-")
    return f"{_SITE}/{section}/{subject.replace(' ', '-')}"


def referring_url(crawler: str, page: int) -> str:
    """Return the address of the page with this number, on one of the sites that a crawler visits."""
    region = crawler.removeprefix("crawler-")
    return f"https://{region}-{page % _SITES_OF_A_CRAWLER}.example/posts/{page}"
