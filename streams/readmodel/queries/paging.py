"""Pages of a list, by a cursor that says where the last one ended: what comes in between moves no row."""

import base64
import binascii
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, or_

from flatline.readmodel.database import meta_of
from flatline.readmodel.read_models import EPOCH

ROWS_MAX: Final = 500
"""Of one page."""
_CURSOR_CHARACTERS_MAX: Final = 4_096
_NO_CURSOR: Final = "This is no cursor: take `next` of the page before."


class CursorError(ValueError):
    """A cursor is none, or of another list. The message says which."""


_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    epoch: str
    order: str
    value: str | _Integer | float | None
    number: str | _Integer


_decode = msgspec.json.Decoder(_Cursor).decode


def page_of(
    connection: Connection,
    statement: Select[Any],
    *,
    order: str,
    column: ColumnElement[Any],
    number: ColumnElement[Any],
    is_descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[RowMapping], str | None]:
    """Return at most ``limit`` rows, and the cursor of the next page where there is one. Raises CursorError.

    ``order``   what is listed in which order: a cursor of another order is refused
    ``column``  what is sorted by; nulls come last in descending order, and first in ascending order
    ``number``  tells rows of the same value apart
    """
    order = blake2b(order.encode(errors="surrogatepass"), digest_size=8).hexdigest()  # filters may be long
    epoch = meta_of(connection).get(EPOCH, "")
    after = None if cursor is None else _read(cursor, epoch=epoch, order=order)
    if after is not None:
        _check_type(after.value, column)
        _check_type(after.number, number)
        statement = statement.where(_behind(after, column, number, is_descending=is_descending))
    by = (column.desc().nulls_last(), number.desc()) if is_descending else (column.asc().nulls_first(), number.asc())
    statement = statement.add_columns(column.label("sorted_by"), number.label("numbered")).order_by(*by)
    rows = list(connection.execute(statement.limit(limit + 1)).mappings())
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], _written(_Cursor(epoch, order, last["sorted_by"], last["numbered"]))


def _check_type(value: object, column: ColumnElement[Any]) -> None:
    """Refuse a cursor that nobody got from us. Raises CursorError."""
    of_column = column.type.python_type
    if value is not None and not isinstance(value, (int, float) if of_column is float else of_column):
        raise CursorError(_NO_CURSOR)


def _behind(
    after: _Cursor, column: ColumnElement[Any], number: ColumnElement[Any], *, is_descending: bool
) -> ColumnElement[bool]:
    same = and_(
        column.is_(None) if after.value is None else column == after.value,
        number < after.number if is_descending else number > after.number,
    )
    if is_descending:
        return same if after.value is None else or_(column < after.value, same, column.is_(None))
    return or_(column.is_not(None), same) if after.value is None else or_(column > after.value, same)


def _written(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _read(text: str, *, epoch: str, order: str) -> _Cursor:
    try:
        if len(text) > _CURSOR_CHARACTERS_MAX:
            raise CursorError(_NO_CURSOR)
        cursor = _decode(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise CursorError(_NO_CURSOR) from None
    if cursor.order != order:
        raise CursorError("The cursor is of a list with other filters or in another order.")
    if cursor.epoch != epoch:
        raise CursorError("The read model was made anew since: begin with the first page.")
    return cursor
