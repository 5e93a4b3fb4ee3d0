"""OpenAPI files: the common part merged in, and schemas compiled for fast validation."""

import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import yaml

COMMON = Path(__file__).with_name("common.yaml")
METHODS = ("get", "post", "put", "patch", "delete")


def load(path: Path) -> dict[str, Any]:
    """A service's specification with the common components merged in and every scope it uses listed."""
    spec: dict[str, Any] = yaml.safe_load(path.read_text())
    common = yaml.safe_load(COMMON.read_text())
    components = spec.setdefault("components", {})
    for section, entries in common["components"].items():
        components[section] = entries | components.get(section, {})
    scopes = components["securitySchemes"]["token"]["flows"]["clientCredentials"]["scopes"]
    for operation in operations(spec):
        for requirement in operation.get("security", []):
            scopes |= {scope: scope for scope in requirement.get("token", [])}
        _offer_csv(operation)
    return spec


def _offer_csv(operation: dict[str, Any]) -> None:
    """Every paged list is also a CSV download; the specification says so without each list repeating it."""
    names = {p.get("name") or p["$ref"].rpartition("/")[2] for p in operation.get("parameters", [])}
    if operation["method"] == "get" and {"limit", "cursor"} <= names:
        operation["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}


def operations(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """All operations of a specification, each with its `path` and `method` beside its own keys."""
    return [
        {**item[method], "path": path, "method": method}
        for path, item in spec["paths"].items()
        for method in METHODS
        if method in item
    ]


def to_json_schema(schema: Any) -> Any:
    """OpenAPI 3.0's dialect as JSON Schema 2020-12: `nullable` and boolean exclusive bounds are rewritten."""
    if isinstance(schema, list):
        return [to_json_schema(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: to_json_schema(v) for k, v in schema.items() if k not in ("nullable", "example", "discriminator", "xml")}
    for bound in ("Minimum", "Maximum"):
        if out.get(f"exclusive{bound}") is True:
            out[f"exclusive{bound}"] = out.pop(bound.lower())
        elif out.get(f"exclusive{bound}") is False:
            del out[f"exclusive{bound}"]
    if schema.get("nullable") is True:
        if "enum" in out:
            out["enum"] = [*out["enum"], None] if None not in out["enum"] else out["enum"]
        return {"anyOf": [out, {"type": "null"}]}
    return out


# Schemas of one process's specification live as long as it does; each is compiled once and found again by its identity.
_validators: dict[int, tuple[dict[str, Any], jsonschema_rs.Draft202012Validator]] = {}
_MANY = 20_000


def compiled(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A validator for an OpenAPI schema."""
    known = _validators.get(id(schema))
    if known is not None and known[0] is schema:
        return known[1]
    validator = _compiled(orjson.dumps(schema))
    if len(_validators) < _MANY:
        _validators[id(schema)] = (schema, validator)
    return validator


@lru_cache(maxsize=2000)
def _compiled(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(to_json_schema(orjson.loads(schema)), validate_formats=True)


def pointer(path: list[str | int]) -> str:
    """RFC 6901 pointer of a path."""
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in path)


if __name__ == "__main__":
    json.dump(load(Path(sys.argv[1])), sys.stdout, indent=2, default=str)
