"""What the read model needs of a database, SQLite and PostgreSQL alike."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from flatline.readmodel.database import Database, DeadlineError
from flatline.readmodel.queries.searching import matches
from flatline.readmodel.read_models import identity_of, mark_complete
from flatline.readmodel.tables import articles, meta
from tests.readmodel.places import Place
from tests.readmodel.projecting import TOPICS

_LETTERS = "aAbéÉeñßДд日本1_- .,'\"&|!():*%\\/\0"
titles = st.lists(st.text(st.sampled_from(_LETTERS), max_size=12), max_size=5)


def _words(text: str) -> list[str]:
    """Return the words of a text, in small letters and without accents."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return re.findall(r"[^\W_]+", "".join(each for each in decomposed if not unicodedata.combining(each)))


def _write(made: Database, texts: list[str]) -> None:
    with made.writing() as connection:
        for number, title in enumerate(texts):
            row = dict.fromkeys(("removed_ms", "gained", "lost", "live", "domains"), 0)
            connection.execute(
                articles.insert().values(id=number, key=f"k{number}", title=title, site="", is_there=True, **row)
            )


@settings(max_examples=60)
@given(texts=titles, asked=st.text(st.sampled_from(_LETTERS), max_size=6))
def test_words_are_found_whatever_their_case_and_accents(place: Place, texts: list[str], asked: str) -> None:
    """A row is found if it has all words, the last of which may be the beginning of one; signs mean nothing."""
    *whole, last = _words(asked) or [""]
    expected = [
        number
        for number, words in enumerate([*_words(text), f"k{number}"] for number, text in enumerate(texts))
        if last and set(whole) <= set(words) and any(word.startswith(last) for word in words)
    ]
    with place.empty() as made:
        _write(made, texts)
        with made.reading() as connection:
            found = connection.scalars(select(articles.c.id).where(matches("article_search", asked)))
            assert sorted(found) == expected


def test_what_is_written_after_words_were_indexed_is_found(place: Place) -> None:
    """Words of rows before and after, and of texts that are longer than any index takes."""
    with place.empty() as made:
        with made.writing() as connection:
            made.stop_indexing_words(connection)
        _write(made, ["before"])
        with made.writing() as connection:
            made.index_words(connection)
            connection.execute(articles.update().values(title="x" * 5_000 + " after"))
        with made.reading() as connection:
            for words, number in (("before", 0), ("after", 1), ("x" * 4_000, 1), ("k0", 1)):
                found = select(func.count()).where(matches("article_search", words))
                assert connection.scalar(found) == number, words


def test_readers_see_one_state_and_write_nothing(place: Place) -> None:
    """What is committed meanwhile is seen by the next one."""
    with place.empty() as made:
        count = select(func.count()).select_from(meta)
        with made.reading() as connection:
            assert connection.scalar(count) == 0
            with made.writing() as writer:
                writer.execute(meta.insert().values(key="a", value="b"))
            assert connection.scalar(count) == 0
        with made.reading() as connection:
            assert connection.scalar(count) == 1
            with pytest.raises(DBAPIError):
                connection.execute(meta.delete())


def test_a_query_that_takes_too_long_is_ended(place: Place) -> None:
    """Its connection answers the next one."""
    read_models = place.open(place.another(), deadline_s=0.2, readers=1)
    made = read_models.add()
    numbers = select(func.count().label("n")).cte(recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < 2 * 10**9))
    with pytest.raises(DeadlineError), made.reading() as connection:
        connection.scalar(select(func.count()).select_from(numbers))
    with made.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(meta)) == 0
    read_models.close()


def test_the_complete_one_is_kept(place: Place) -> None:
    """Others are deleted. What is deleted while it is open is known to be lost."""
    read_models = place.open(place.another())
    identity = identity_of(TOPICS, b"")
    first, second = read_models.new(identity, None), read_models.new(identity, None)
    assert read_models.find(identity)[0] is None
    mark_complete(first)
    answering, going_on = read_models.find(identity)
    assert answering is going_on is not None
    assert answering.name == first.name
    read_models.keep_only(first)
    assert [each.name for each in read_models.opened()] == [first.name]
    assert second.is_lost
    assert not first.is_lost
    read_models.discard(first)
    assert first.is_lost
    assert read_models.find(identity) == (None, None)
    read_models.close()


def test_all_read_models_are_deleted(place: Place) -> None:
    """Two of them, and what shows one of them to others; a second time there is nothing to delete."""
    models = place.open(place.another())
    try:
        assert models.become_writer()
        made = [models.add(), models.add()]
        models.keep_only(made[0])
        for each in made:
            each.close()
        assert any(made[0].name in name for name in models.discard_all())
        assert models.names() == []
        assert models.discard_all() == []
    finally:
        models.close()
