"""JSON Schema (draft 2020-12) of configurations and profiles, for completion in editors."""

from collections.abc import Mapping
from typing import Any

from edge_config.loading.specs import DriverModels
from edge_config.models.city import CityConfig
from edge_config.models.gateway import GatewayConfig
from edge_config.models.identifiers.node import NodeConfig
from edge_config.models.settings import Settings
from edge_config.models.validation import json_schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Json = dict[str, Any]


def city_schema() -> Json:
    """Schema of a city's configuration."""
    return {"$schema": DRAFT, **json_schema(CityConfig)}


def node_schema() -> Json:
    """Schema of the configuration of a node of identifiers."""
    return {"$schema": DRAFT, **json_schema(NodeConfig)}


def gateway_schema(specs: Mapping[str, DriverModels]) -> Json:
    """Schema of an edge's configuration.

    Args:
        specs: drivers whose ``connection:`` and ``address:`` are offered, chosen by ``driver:``.
    """
    schema: Json = {"$schema": DRAFT, **json_schema(GatewayConfig)}
    definitions: Json = schema["$defs"]
    device, profile = definitions["DeviceConfig"], definitions["ProfileConfig"]
    for part in (device, profile):
        part["properties"]["driver"] |= {"enum": sorted(specs)}
        part["allOf"] = []
    for name in sorted(specs):
        connection = add_model(definitions, f"{name}.connection", specs[name].connection)
        address = add_model(definitions, f"{name}.address", specs[name].address)
        device["allOf"].append(_when(name, {"connection": connection}))
        text = {"type": "string", "examples": [one.text for one in specs[name].examples]}
        text_or_mapping = {"anyOf": [text, address]}
        profile["allOf"].append(_when(name, _in_tags({"address": text_or_mapping})))
    return schema


def profile_schema(specs: Mapping[str, DriverModels]) -> Json:
    """Schema of a profile in a file of its own.

    Args:
        specs: drivers whose ``address:`` is offered, chosen by ``driver:``.
    """
    definitions = gateway_schema(specs)["$defs"]
    return {"$schema": DRAFT, **definitions["ProfileConfig"], "$defs": definitions}


def add_model(definitions: Json, name: str, model: type[Settings]) -> Json:
    """Put a model and the models it uses below a prefix; returns a reference to it."""
    template = f"#/$defs/{name}.{{model}}"
    schema = json_schema(model, template)
    inner: Json = schema.pop("$defs", {})
    definitions[name] = schema
    definitions.update({f"{name}.{key}": value for key, value in inner.items()})
    return {"$ref": f"#/$defs/{name}"}


def _when(driver: str, properties: Json) -> Json:
    return {
        "if": {"properties": {"driver": {"const": driver}}, "required": ["driver"]},
        "then": {"properties": properties},
    }


def _in_tags(properties: Json) -> Json:
    tags = {"items": {"properties": properties}}
    return {"groups": {"items": {"properties": {"tags": tags}}}}
