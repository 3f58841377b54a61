"""`flatline articles fetch`, from a site to the records in Kafka."""

import json
import subprocess
from pathlib import Path

from flatline.schema.topics import Topics
from tests.connectors.own_site.site import Site
from tests.connectors.pushing import FLATLINE
from tests.integration.reading import read_all
from tests.waiting import PATIENCE_S


def fetch(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [FLATLINE, "articles", "fetch", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def test_from_a_site_to_kafka(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], site: Site, tmp_path: Path
) -> None:
    """Without --yes nothing is sent. With it new articles are; registered ones are kept, removed ones stay removed."""
    own = {**environment, "FLATLINE_FETCH_NETWORKS": "127.0.0.0/8", "FLATLINE_FETCH_CONTACT": "us@yours.example"}
    file = tmp_path / "articles"
    records = [
        {"url": f"{site.url}/kept", "title": "Kept", "tier": 1, "series": "S"},
        {"url": f"{site.url}/old", "title": "Old", "tier": 3},
        {"url": f"{site.url}/removed"},
    ]
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    subprocess.run([FLATLINE, "articles", "import", file], env=environment, check=True, timeout=PATIENCE_S)
    removal = [FLATLINE, "articles", "remove", f"{site.url}/removed", "--yes"]
    subprocess.run(removal, env=environment, check=True, timeout=PATIENCE_S)
    site.lists("kept", "new", "found", "removed")
    site.pages.update({"/old": b"/new", "/new": b"page"})
    before = read_all(kafka_bootstrap, topics.articles)

    shown = fetch(own, site.url)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "4 articles are listed: 2 new, 0 with more than is registered, 1 registered already." in shown.stdout
    assert "Nothing was changed" in shown.stdout
    assert read_all(kafka_bootstrap, topics.articles) == before

    done = fetch(own, site.url, "--yes")
    assert done.returncode == 0, done.stderr
    assert "1 were removed" in done.stdout
    assert "1 have moved" in done.stdout
    assert "2 sent." in done.stdout
    sent = [json.loads(each.value or b"") for each in read_all(kafka_bootstrap, topics.articles) if each not in before]
    assert sorted(sent, key=lambda record: str(record["url"])) == [
        {"url": f"{site.url}/found"},
        {"url": f"{site.url}/new", "title": "Old", "tier": 3, "aliases": [f"{site.url}/old"]},
    ]
    assert {agent.partition(" ")[2] for agent in site.agents} == {"(+us@yours.example)"}
    assert "2 sent" not in fetch(own, f"{site.url}/sitemap.xml", "--yes", "--missing-max", "0").stdout


def test_what_cant_be_read(topics: Topics, environment: dict[str, str], site: Site) -> None:
    """A site on a private address is refused unless its network is named, and a listing that fails is an error."""
    assert topics
    done = fetch(environment, site.url)
    assert done.returncode == 1
    assert "forbidden_address" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_site_record_says(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], site: Site, tmp_path: Path
) -> None:
    """Its listings are read in place of the site's own, also where no site is named, and its rules give the series."""
    own = {**environment, "FLATLINE_FETCH_NETWORKS": "127.0.0.0/8", "FLATLINE_FETCH_CONTACT": "us@yours.example"}
    nothing = fetch(own)
    assert nothing.returncode == 2
    assert "no site record has listings" in " ".join(nothing.stderr.replace("│", " ").split())
    file = tmp_path / "sites"
    rules = [{"path": "/guides", "series": "Guides"}]
    record = {"domain": site.url.partition("://")[2], "listings": [f"{site.url}/guides.xml"], "series": rules}
    file.write_text(json.dumps(record))
    subprocess.run([FLATLINE, "sites", "import", file], env=environment, check=True, timeout=PATIENCE_S)
    site.lists("guides/a", "other", at="/guides.xml")
    for arguments in ((site.url,), ("--yes",)):
        done = fetch(own, *arguments, "--missing-max", "0")
        assert "2 articles are listed: 2 new" in done.stdout, done.stderr
    sent = [json.loads(each.value or b"") for each in read_all(kafka_bootstrap, topics.articles)]
    assert sorted(sent, key=lambda record: str(record["url"])) == [
        {"url": f"{site.url}/guides/a", "series": "Guides"},
        {"url": f"{site.url}/other"},
    ]
