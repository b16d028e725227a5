"""Read functions with their routes and environment, tables and secrets from `template.yaml`.

Reading the template keeps local routes, handlers and environment variables identical to the deployed ones. `Ref`, `GetAtt` and
`Sub` are resolved; a resource's `Ref` is its logical id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parent.parent / "template.yaml"


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API; `authorized` is true if it has the JWT authorizer."""

    method: str
    path: str
    authorized: bool


@dataclass(frozen=True)
class Function:
    """One function: `handler` is `module.attribute` in `folder`."""

    name: str
    folder: Path
    handler: str
    timeout_seconds: int
    memory_mb: int
    environment: Mapping[str, str]
    routes: tuple[Route, ...]


class Loader(yaml.SafeLoader):
    """A YAML loader that reads short forms of CloudFormation's functions (`!Ref X`) as long ones (`{"Ref": "X"}`)."""


def _intrinsic(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # there is no fourth node type
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".")
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


Loader.add_multi_constructor("!", _intrinsic)


class Template:
    """The template with the defaults of its parameters; a parameter without a default is empty."""

    def __init__(self, path: Path = TEMPLATE) -> None:
        self._folder = path.parent
        self.document: dict[str, Any] = yaml.load(path.read_text(), Loader)  # noqa: S506 - a safe loader
        self._names = {name: name for name in self.document["Resources"]}
        self._names |= {name: str(parameter.get("Default", "")) for name, parameter in self.document["Parameters"].items()}

    def resources(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Return the resolved properties of all resources of a type, by logical id."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self.document["Resources"].items()
            if resource["Type"] == resource_type
        }

    def functions(self) -> list[Function]:
        """Return all functions, including the properties inherited from `Globals`."""
        inherited = self.resolve(self.document["Globals"]["Function"])
        return [self._function(name, inherited, own) for name, own in self.resources("AWS::Serverless::Function").items()]

    def resolve(self, value: Any) -> Any:
        """Resolve CloudFormation's functions in `value`. A name that isn't in the template stays as it is."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": name}:
                return self._names.get(name, name)
            case {"Fn::GetAtt": [resource, *attribute]}:
                return ".".join([resource, *attribute])
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:.]+)\}", lambda match: self._names.get(match[1]) or match[1], text)
        return {key: self.resolve(item) for key, item in value.items()}

    def _function(self, name: str, inherited: dict[str, Any], own: dict[str, Any]) -> Function:
        merged = inherited | own
        variables = {**inherited["Environment"]["Variables"], **own["Environment"]["Variables"]}
        routes = (event["Properties"] for event in own["Events"].values() if event["Type"] == "HttpApi")
        return Function(
            name=name,
            folder=self._folder / merged["CodeUri"],
            handler=merged["Handler"],
            timeout_seconds=merged["Timeout"],
            memory_mb=merged["MemorySize"],
            environment={key: str(value) for key, value in variables.items()},
            routes=tuple(Route(route["Method"].upper(), route["Path"], "Auth" in route) for route in routes),
        )
