"""Checks the data files against their JSON schemas. Needs `jsonschema`, which only server installations carry."""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from kuimen.standard.errors import BrokenCatalogueError
from kuimen.standard.loader import load_catalogue, read_data

SCHEMA_OF: Mapping[str, str] = {
    "cqjr009.yaml": "catalogue.schema.json",
    "jrt0171.yaml": "catalogue.schema.json",
    "references.yaml": "catalogue.schema.json",
    "later_rules.yaml": "catalogue.schema.json",
    "status.yaml": "status.schema.json",
    "elements.yaml": "elements.schema.json",
}


def schema(name: str) -> Mapping[str, Any]:
    """Return one JSON schema of the package."""
    text = files("kuimen.standard").joinpath("data", "schema", name).read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def violations(document: object, *, schema_name: str) -> Iterator[str]:
    """Yield one line for each place where a document breaks a schema: the place and the rule."""
    validator = Draft202012Validator(schema(schema_name))
    for error in validator.iter_errors(document):
        place = "/".join(str(part) for part in error.absolute_path) or "(top)"
        yield f"{place}: breaks rule {error.validator}"


def find_problems() -> list[str]:
    """Return everything that is wrong with the standards' data; empty when all is well. Takes about a second."""
    found = [
        f"{name}: {violation}"
        for name, schema_name in SCHEMA_OF.items()
        for violation in violations(read_data(name), schema_name=schema_name)
    ]
    if not found:
        try:
            load_catalogue()
        except BrokenCatalogueError as error:
            found.append(str(error))
    return found
