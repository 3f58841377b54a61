"""Annotations as records name them."""

import re
from hashlib import sha256
from typing import Final

import msgspec

from flatline.domain.sites import canonical_domain
from flatline.domain.time import EARLIEST
from flatline.domain.urls.canonical import article_key
from flatline.schema import codec
from flatline.schema.annotation import Annotation
from flatline.schema.rejection import Reason, Rejected

_ID_DIGITS: Final = 32
_ID: Final = re.compile(rb"[A-Za-z0-9_-]{1,64}")


def annotation_id(annotation: Annotation) -> str:
    """Return the id that we give to a checked annotation: the same for the same text, day and subject."""
    said = annotation.day.isoformat(), annotation.text, annotation.article, annotation.site
    return sha256(msgspec.json.encode(said)).hexdigest()[:_ID_DIGITS]


def checked(annotation: Annotation) -> Annotation:
    """Return an annotation with the canonical address of its article or site. Raise `Rejected`."""
    if annotation.article is not None and annotation.site is not None:
        raise Rejected(Reason.INVALID_VALUE, "site: an annotation is on an article or on a site, not on both")
    if annotation.day < EARLIEST.date():
        raise Rejected(Reason.INVALID_TIME, f"day: {annotation.day} lies before the first web page")
    article, site = annotation.article, annotation.site
    if article is not None:
        article = article_key(article, field="article").decode()
    if site is not None:
        site = canonical_domain(site, field="site")
    return msgspec.structs.replace(annotation, article=article, site=site)


def read_annotation(key: bytes, value: bytes) -> Annotation:
    """Return the annotation of a record. Raise `Rejected`, also where the key can be no id."""
    if not _ID.fullmatch(key):
        raise Rejected(Reason.INVALID_VALUE, "the key is no id: 1 to 64 letters, digits, hyphens and underscores")
    return checked(codec.annotations.decode(value))
