"""The API's description, OpenAPI 3.1, made from the types that it checks requests with and answers with."""

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

import msgspec
from msgspec import Struct

from flatline.api import annotating, resending, snoozing, writing
from flatline.api.routes import ROUTES, Route
from flatline.api.writing import Write
from flatline.readmodel.queries.views import LiveEvent

_WRITES: Final = (*writing.WRITES, *snoozing.WRITES, *annotating.WRITES, *resending.WRITES)
_IN_PATH: Final = re.compile(r"{(\w+)}")
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
    bodies = [kind for write in _WRITES for kind in (write.answer, write.body) if kind is not None]
    queries = [*(route.query for route in ROUTES), *(write.query for write in _WRITES)]
    schemas, components = msgspec.json.schema_components(
        [*answers, *dict.fromkeys([*bodies, *queries]), ErrorAnswer, LiveEvent], ref_template=_REFERENCE
    )
    names = {query.__name__ for query in queries}
    paths: dict[str, Any] = {
        route.path: {"get": _operation(route, schema, components)}
        for route, schema in zip(ROUTES, schemas, strict=False)
    }
    for write in _WRITES:
        paths.setdefault(write.path, {})[write.method] = _write_operation(write, components)
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
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if route.row is not None:
        content |= {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}}
    return {
        "summary": route.about,
        "operationId": route.path.removeprefix("/api/v1/").replace("-", "_"),
        "parameters": _parameters(route.query, components),
        "responses": {"200": {"description": route.about, "content": content}, **_errors()},
    }


def _write_operation(write: Write, components: dict[str, Any]) -> dict[str, Any]:
    def content(kind: type[Struct]) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}

    body = {} if write.body is None else {"requestBody": {"required": True, "content": content(write.body)}}
    return {
        "summary": write.about,
        "operationId": f"{write.method}_{write.path.rpartition('/')[2]}",
        "security": [{}, {"token": []}],
        "parameters": [*_path_parameters(write.path), *_parameters(write.query, components)],
        **body,
        "responses": {
            "200": {"description": "Kafka has it", "content": content(write.answer)},
            **_errors(),
            **_errors(
                {
                    "409": "No Alertmanager is known that could silence alerts",
                    "415": "The body is no JSON",
                    "422": "The record can't be taken, and why",
                }
            ),
        },
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _IN_PATH.findall(path)
    ]


def _parameters(query: type[Struct], components: dict[str, Any]) -> list[dict[str, Any]]:
    described = components[query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in described.get("required", ()),
            "schema": _without_null(found),
            "style": "form",
            "explode": True,
        }
        for name, found in described["properties"].items()
    ]


def _errors(errors: Mapping[str, str] = _ERRORS) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name=ErrorAnswer.__name__)}
    return {
        code: {"description": about, "content": {"application/json": {"schema": schema}}}
        for code, about in errors.items()
    }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: what is not given is null."""
    found = {name: value for name, value in schema.items() if not (name == "default" and value is None)}
    if "anyOf" in found:
        kinds = [each for each in found["anyOf"] if each != {"type": "null"}]
        if len(kinds) == 1:
            return {**kinds[0], **{name: value for name, value in found.items() if name != "anyOf"}}
    return found
