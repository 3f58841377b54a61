"""A worker of the next version: its state has one more field, or (NEWER=format) a format that this one can't know."""

import os

import msgspec

from flatline.domain.state import article


class Header(article.Header, array_like=True, gc=False):
    """The header with a field that this version does not know."""

    of_the_next_version: str = "of the next version"


others = [(field.encode_name, field.type) for field in msgspec.structs.fields(article._Record)[1:]]
Record = msgspec.defstruct("Record", [("header", Header), *others], array_like=True, gc=False)
article.Header = Header  # type: ignore[misc]
article._Record = Record  # type: ignore[misc, assignment]
article._decode = msgspec.msgpack.Decoder(Record).decode  # type: ignore[assignment]
if os.environ.get("NEWER") == "format":
    article.FORMAT += 1  # type: ignore[misc]
    article.FORMAT_BYTE = bytes([article.FORMAT])  # type: ignore[misc]

if __name__ == "__main__":
    from flatline.cli.worker import worker  # imported last: all others see the changed state

    worker()
