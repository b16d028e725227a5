"""Read the parts of `template.yaml` that the local stack needs: functions with their routes and environment, tables and secrets.

This keeps local routes, handlers and environment variables identical to the deployed ones. `Ref`, `GetAtt` and `Sub` are resolved;
a resource's `Ref` is its logical id.
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
    """One route of the HTTP API; `authorized` is whether it has the JWT authorizer."""

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
    """Reads the short forms of CloudFormation's functions (`!Ref X`) as the long ones (`{"Ref": "X"}`)."""


def _intrinsic(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # no fourth kind of node
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".")
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


Loader.add_multi_constructor("!", _intrinsic)


class Template:
    """The template with its parameters' defaults; a parameter that has none is empty."""

    def __init__(self, path: Path = TEMPLATE) -> None:
        self._folder = path.parent
        self.document: dict[str, Any] = yaml.load(path.read_text(), Loader)  # noqa: S506 - a safe loader
        self._names = {name: name for name in self.document["Resources"]}
        self._names |= {name: str(about.get("Default", "")) for name, about in self.document["Parameters"].items()}

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type, by logical id, with their values resolved."""
        found = {name: each for name, each in self.document["Resources"].items() if each["Type"] == kind}
        return {name: self.resolve(each.get("Properties", {})) for name, each in found.items()}

    def functions(self) -> list[Function]:
        """All functions with what they inherit from `Globals`."""
        inherited = self.resolve(self.document["Globals"]["Function"])
        return [self._function(name, inherited, own) for name, own in self.resources("AWS::Serverless::Function").items()]

    def resolve(self, value: Any) -> Any:
        """`value` without CloudFormation's functions. A name that is not the template's stands for itself."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": name}:
                return self._names.get(name, name)
            case {"Fn::GetAtt": [resource, *attribute]}:
                return ".".join([resource, *attribute])
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:.]+)\}", lambda found: self._names.get(found[1]) or found[1], text)
        return {key: self.resolve(each) for key, each in value.items()}

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
            routes=tuple(Route(each["Method"].upper(), each["Path"], "Auth" in each) for each in routes),
        )
