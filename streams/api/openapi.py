"""The API's description, OpenAPI 3.1, made from the types that it checks requests with and answers with."""

from importlib.metadata import version
from typing import Any, Final

import msgspec
from msgspec import Struct

from flatline.api.routes import ROUTES, Route
from flatline.readmodel.queries.views import LiveEvent

_REFERENCE: Final = "#/components/schemas/{name}"
LIVE: Final = "/api/v1/live"


class ErrorBody(Struct, frozen=True):
    """What went wrong."""

    code: str
    message: str


class ErrorAnswer(Struct, frozen=True):
    """The body of each answer that is an error."""

    error: ErrorBody


_ERRORS: Final = {
    "400": "A parameter is wrong",
    "401": "A token is needed",
    "403": "The token lacks the scope",
    "404": "There is no such thing",
    "421": "The request names another host",
    "503": "The read model is being made, the query took too long, or there are too many requests",
}


def description() -> dict[str, Any]:
    """Return the whole document."""
    answers = [route.answer for route in ROUTES]
    queries = [route.query for route in ROUTES]
    schemas, components = msgspec.json.schema_components(
        [*answers, *queries, ErrorAnswer, LiveEvent], ref_template=_REFERENCE
    )
    names = {query.__name__ for query in queries}
    paths: dict[str, Any] = {
        route.path: {"get": _operation(route, schema, components)}
        for route, schema in zip(ROUTES, schemas, strict=False)
    }
    paths[LIVE] = {
        "get": {
            "summary": "What happens, as it happens: server-sent events whose data are a LiveEvent each",
            "operationId": "live",
            "parameters": [
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "required": False,
                    "description": "The last event that was received; without it, what happened last comes first",
                    "schema": {"type": "string"},
                }
            ],
            "responses": {
                "200": {"description": "A stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                **_errors(),
            },
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Flatline", "version": version("flatline"), "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in names},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(route: Route[Any], schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    described = components[route.query.__name__]
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if route.row is not None:
        content |= {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}}
    return {
        "summary": route.about,
        "operationId": route.path.removeprefix("/api/v1/").replace("-", "_"),
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": name in described.get("required", ()),
                "schema": _without_null(found),
                "style": "form",
                "explode": True,
            }
            for name, found in described["properties"].items()
        ],
        "responses": {"200": {"description": route.about, "content": content}, **_errors()},
    }


def _errors() -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name=ErrorAnswer.__name__)}
    return {
        code: {"description": about, "content": {"application/json": {"schema": schema}}}
        for code, about in _ERRORS.items()
    }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: what is not given is null."""
    found = {name: value for name, value in schema.items() if not (name == "default" and value is None)}
    if "anyOf" in found:
        kinds = [each for each in found["anyOf"] if each != {"type": "null"}]
        if len(kinds) == 1:
            return {**kinds[0], **{name: value for name, value in found.items() if name != "anyOf"}}
    return found
