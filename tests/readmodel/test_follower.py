"""Which file of the read model answers, and which one is filled."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from kafka.errors import KafkaError
from sqlalchemy import select

from flatline.domain.policy.policy import Policy
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.files import Files, identity_in, identity_of, mark_complete
from flatline.readmodel.follower import Follower
from flatline.readmodel.projection import Projection
from flatline.readmodel.tables import VERSION, verdict_history
from flatline.schema import codec
from flatline.schema.topics import Topics
from flatline.schema.verdict import State
from tests.api.histories import KEYS, verdict_of
from tests.readmodel.projecting import TOPICS, Log


class _Away:
    """A Kafka that does not answer."""

    def consumer(self, **_configuration: Any) -> None:
        """Raise KafkaError."""
        raise KafkaError


def _files(folder: Path) -> Files:
    return Files(folder, readers=1, deadline_s=60)


def _follower(folder: Path, topics: Callable[[], Topics] = lambda: TOPICS, rules: bytes = b"") -> Follower:
    away = cast(KafkaCluster, _Away())
    return Follower(away, _files(folder), topics=topics, policy=Policy(), rules=rules)


def _databases(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.db"))


def test_a_kafka_that_is_away_makes_nothing_anew(tmp_path: Path) -> None:
    """Neither while the first file is made, nor later: what was read is gone on with."""
    for follower in (_follower(tmp_path), _follower(tmp_path)):
        for _ in range(3):
            with suppress(KafkaError):
                follower._follow()
        assert _databases(tmp_path) == [f"readmodel-{VERSION}-1.db"]
    complete, _ = _files(tmp_path).find(identity_of(TOPICS, b""))
    assert complete is None


def test_under_other_rules_what_was_read_answers_until_all_is_read_anew(tmp_path: Path) -> None:
    """The new file begins with the history of verdicts, which no topic keeps, and is gone on with after a failure."""
    files, log = _files(tmp_path), Log()
    before = files.new(identity_of(TOPICS, b""), None)
    for days_ago, state in ((9, State.STEADY), (1, State.SILENT)):
        verdict = verdict_of(KEYS[0], state=state, days_ago=days_ago)
        log.write(TOPICS.verdicts, codec.verdicts.encode(verdict), key=KEYS[0].encode())
    Projection(before, TOPICS, Policy()).apply(log.batch())
    mark_complete(before)
    before.close()
    follower = _follower(tmp_path, rules=b"other")
    for _ in range(3):
        with suppress(KafkaError):
            follower._follow()
    assert _databases(tmp_path) == [f"readmodel-{VERSION}-1.db", f"readmodel-{VERSION}-2.db"]
    assert not follower.progress.is_current
    with follower.reading() as connection:
        assert connection.scalars(select(verdict_history.c.state)).all() == ["steady", "silent"]
    _, begun = files.find(identity_of(TOPICS, b"other"))
    assert begun is not None
    assert identity_in(begun) == str(identity_of(TOPICS, b"other"))
    with begun.reading() as connection:
        assert connection.scalars(select(verdict_history.c.state)).all() == ["steady", "silent"]


def test_a_file_that_is_no_database_is_made_anew(tmp_path: Path) -> None:
    """What somebody else put there is left aside."""
    (tmp_path / f"readmodel-{VERSION}-7.db").write_bytes(b"no database" * 1_000)
    with suppress(KafkaError):
        _follower(tmp_path)._follow()
    assert _databases(tmp_path) == [f"readmodel-{VERSION}-7.db", f"readmodel-{VERSION}-8.db"]
