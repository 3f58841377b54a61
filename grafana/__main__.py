"""Writes grafana/dashboards/*.json."""

from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana import article, cohorts, pipeline, portfolio, sources

FOLDER: Final = Path(__file__).parent / "dashboards"


def dashboards() -> list[Dashboard]:
    """Return all of them."""
    return [portfolio.made(), article.made(), cohorts.made(), sources.made(), pipeline.made()]


def files() -> dict[Path, str]:
    """Return what is in which file."""
    return {
        FOLDER / f"{each.uid}.json": JSONEncoder(sort_keys=True, indent=1).encode(each) + "\n" for each in dashboards()
    }


def main() -> None:
    """Write the files, and remove those of dashboards that are no more."""
    content = files()
    for old in FOLDER.glob("*.json"):
        if old not in content:
            old.unlink()
    for path, text in content.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
