"""What OpenAPI documents are made of: parameters, schemas, routes and what they refuse."""

from http import HTTPStatus
from typing import Any

import msgspec

from api.process.parameters import PAGE, PAGE_MAX

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "reason"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reason": {"type": "string"},
        "field": {"type": ["string", "null"]},
    },
}
Schema = dict[str, Any]


def parameter(where: str, name: str, schema: Schema, description: str) -> Schema:
    """Return a parameter of a route; where : path or query."""
    return {
        "in": where,
        "name": name,
        "required": where == "path",
        "schema": schema,
        "description": description,
    }


def whole(low: int, high: int, default: int | None = None) -> Schema:
    """Return the schema of a whole number of a range."""
    schema: Schema = {"type": "integer", "minimum": low, "maximum": high}
    return schema if default is None else schema | {"default": default}


def object_of(**properties: Schema) -> Schema:
    """Return the schema of an object that has all these properties."""
    return {"type": "object", "required": list(properties), "properties": properties}


def page_of(name: str, **more: Schema) -> Schema:
    """Return the schema of a page of rows."""
    rows = {"type": "array", "items": {"type": "object"}}
    return object_of(**{name: rows}, next_cursor={"type": ["string", "null"]}, **more)


def route(summary: str, schema: Schema, *parameters: Schema, refused: tuple[int, ...] = ()) -> Schema:
    """Return a GET route under /v1."""
    answers: Schema = {
        "200": {"description": "the answer", "content": {"application/json": {"schema": schema}}}
    }
    answers |= refusals(*refused)
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": answers}}


def refusals(*more: int) -> Schema:
    """Return the problem documents that every route of `/v1` answers, and more."""
    document = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": document}
        for status in (400, 401, 405, 415, 417, 421, 501, 503, *more)
    }


def open_route(summary: str, content: str, *statuses: int) -> Schema:
    """Return a GET route that needs no key."""
    answers = {
        str(status): {"description": HTTPStatus(status).phrase, "content": {content: {}}}
        for status in (200, *statuses)
    }
    return {"get": {"summary": summary, "security": [], "responses": answers}}


LIMIT = parameter("query", "limit", whole(1, PAGE_MAX, PAGE), "entries of a page")
CURSOR = parameter("query", "cursor", {"type": "string"}, "`next_cursor` of the page before")
_TIME = {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "format": "date-time"}]}
TIMES = (
    parameter("query", "from", _TIME, "ns since 1970, or a date and time with its zone; included"),
    parameter("query", "to", _TIME, "the same; not included"),
)


def encoded(title: str, description: str, paths: Schema, schemas: Schema | None = None) -> bytes:
    """Return an OpenAPI document; schemas : what paths refer to besides problem documents."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": title, "version": "1", "description": description},
            "security": [{"bearer": []}],
            "paths": paths,
            "components": {
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
                "schemas": {"Problem": PROBLEM} | (schemas or {}),
            },
        }
    )
