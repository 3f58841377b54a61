"""Which file of the read model answers, and which one is filled."""

from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from kafka.errors import KafkaError
from sqlalchemy import select

from flatline.domain.policy.policy import Policy
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.files import Files
from flatline.readmodel.follower import Follower
from flatline.readmodel.projection import Projection
from flatline.readmodel.read_models import ReadModels, identity_in, identity_of, mark_complete
from flatline.readmodel.tables import VERSION, verdict_history
from flatline.schema import codec
from flatline.schema.verdict import State
from tests.api.histories import KEYS, verdict_of
from tests.readmodel.places import Place
from tests.readmodel.projecting import TOPICS, Log


class _Away:
    """A Kafka that does not answer."""

    def consumer(self, **_configuration: Any) -> None:
        """Raise KafkaError."""
        raise KafkaError


def _follower(read_models: ReadModels, rules: bytes = b"") -> Follower:
    away = cast(KafkaCluster, _Away())
    return Follower(away, read_models, topics=lambda: TOPICS, policy=Policy(), rules=rules)


def _number(read_models: ReadModels) -> int:
    opened = read_models.opened()
    for database in opened:
        database.close()
    return len(opened)


def test_a_kafka_that_is_away_makes_nothing_anew(place: Place) -> None:
    """Neither while the first read model is made, nor later: what was read is gone on with."""
    at = place.another()
    for _ in range(2):
        read_models = place.open(at)
        follower = _follower(read_models)
        for _ in range(3):
            with suppress(KafkaError):
                follower._follow()
        assert _number(read_models) == 1
        read_models.close()
    read_models = place.open(at)
    assert read_models.find(identity_of(TOPICS, b""))[0] is None
    read_models.close()


def test_under_other_rules_what_was_read_answers_until_all_is_read_anew(place: Place) -> None:
    """The new one begins with the history of verdicts, which no topic keeps, and is gone on with after a failure."""
    files, log = place.open(place.another()), Log()
    before = files.new(identity_of(TOPICS, b""), None)
    for days_ago, state in ((9, State.STEADY), (1, State.SILENT)):
        verdict = verdict_of(KEYS[0], state=state, days_ago=days_ago)
        log.write(TOPICS.verdicts, codec.verdicts.encode(verdict), key=KEYS[0].encode())
    Projection(before, TOPICS, Policy()).apply(log.batch())
    mark_complete(before)
    before.close()
    follower = _follower(files, rules=b"other")
    for _ in range(3):
        with suppress(KafkaError):
            follower._follow()
    assert _number(files) == 2
    assert not follower.progress.is_current
    with follower.reading() as connection:
        assert connection.scalars(select(verdict_history.c.state)).all() == ["steady", "silent"]
    _, begun = files.find(identity_of(TOPICS, b"other"))
    assert begun is not None
    assert identity_in(begun) == str(identity_of(TOPICS, b"other"))
    with begun.reading() as connection:
        assert connection.scalars(select(verdict_history.c.state)).all() == ["steady", "silent"]
    files.close()


def test_a_file_that_is_no_database_is_made_anew(tmp_path: Path) -> None:
    """What somebody else put there is left aside."""
    (tmp_path / f"readmodel-{VERSION}-7.db").write_bytes(b"no database" * 1_000)
    with suppress(KafkaError):
        _follower(Files(tmp_path, readers=1, deadline_s=60))._follow()
    files = sorted(path.name for path in tmp_path.glob("*.db"))
    assert files == [f"readmodel-{VERSION}-7.db", f"readmodel-{VERSION}-8.db"]
