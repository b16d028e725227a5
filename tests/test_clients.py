"""The clients that are made from `openapi.json`: the one in TypeScript at work, and what can be seen of those in Swift and Kotlin.

`make test-clients` makes them and runs these tests; `make test` does not. Nothing here compiles Swift or Kotlin: they are parsed.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language, Parser

from tests.conformance import DOCUMENT
from tests.stack import ROOT, Stack, start_stack

pytestmark = [pytest.mark.external, pytest.mark.clients]

CLIENTS = ROOT / "clients"
LANGUAGES = ["swift", "kotlin", "typescript"]
SUFFIXES = {"swift": "swift", "kotlin": "kt", "typescript": "ts"}
OPERATIONS = sorted(operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values())
MODELS = set(DOCUMENT["components"]["schemas"]) - {"IminNotice", "JsonLd", "Page"}  # these are no JSON that an app gets from us
GRAMMARS = {"swift": tree_sitter_swift.language(), "kotlin": tree_sitter_kotlin.language()}
OPEN_FIELDS = {"Connect": "suggested", "EvidenceRequest": "status", "LinkRecord": "status", "Problem": "code", "Warning": "code"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a local stack."""
    with start_stack(tmp_path_factory.mktemp("clients")) as started:
        yield started


class TestTypeScript:
    @pytest.mark.parametrize("program", ["journey", "errors", "newer"])
    def test_generated_client_runs_the_journey(self, stack: Stack, program: str) -> None:
        node = shutil.which("node")
        assert node, "the client in TypeScript is tested with Node.js"
        environment = {**os.environ, "API_URL": stack.url, "IMIN_URL": stack.imin_url}
        command = [node, str(CLIENTS / "tests" / f"{program}.js")]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def test_generated_client_needs_no_package(self) -> None:
        imports = [line for path in _sources("typescript") for line in path.read_text().splitlines() if " from '" in line]
        assert imports
        assert all(" from './" in line or " from '../" in line for line in imports)


@pytest.mark.parametrize("language", GRAMMARS)
def test_generated_example_parses_every_body(language: str) -> None:
    parser = Parser(Language(GRAMMARS[language]))
    made = [path for path in _sources(language) if path.parent.name.casefold() in {"apis", "models"}]
    assert made
    assert not [path.name for path in made if parser.parse(path.read_bytes()).root_node.has_error]


@pytest.mark.parametrize("language", LANGUAGES)
class TestSource:
    def test_every_operation_is_generated(self, language: str) -> None:
        declared = {"swift": "open class func {}(", "kotlin": "suspend fun {}(", "typescript": "    async {}("}[language]
        source = "\n".join(path.read_text() for path in _sources(language))
        assert [operation for operation in OPERATIONS if declared.format(operation) in source] == OPERATIONS

    def test_every_model_is_generated(self, language: str) -> None:
        assert {path.stem for path in _sources(language)} >= MODELS

    def test_open_enumeration_is_a_text(self, language: str) -> None:
        for model, field in OPEN_FIELDS.items():
            assert _text_field(language, field) in _source(language, model), f"{model}.{field}"

    def test_account_with_a_new_status_is_read_as_unknown(self, language: str) -> None:
        tried = {"swift": "decode({}.self)", "kotlin": "decodeFromJsonElement<{}>", "typescript": "(instanceOf{}(json))"}[language]
        account = _source(language, "Account")
        places = [account.index(tried.format(case)) for case in ("Connected", "NotConnected", "Unknown")]
        assert places == sorted(places)
        assert _text_field(language, "status") in _source(language, "Unknown")

    def test_known_case_rejects_any_other_status(self, language: str) -> None:
        only = {"swift": '= "{}"\n', "kotlin": '("{}");\n', "typescript": "!== '{}') return false;"}[language]
        for model, status in (("Connected", "connected"), ("NotConnected", "not_connected")):
            assert only.format(status) in _source(language, model)
            assert "unknowndefault" not in _source(language, model).replace("_", "").casefold()


def _sources(language: str) -> list[Path]:
    """Find the source files of a client."""
    folder = CLIENTS / language
    return [path for path in folder.rglob(f"*.{SUFFIXES[language]}") if "dist" not in path.relative_to(folder).parts]


def _source(language: str, model: str) -> str:
    (path,) = (path for path in _sources(language) if path.stem == model)
    return path.read_text()


def _text_field(language: str, field: str) -> str:
    """How `field` is declared if it can be any text."""
    declared = {"swift": "public var {}: String\n", "kotlin": "val {}: kotlin.String,\n", "typescript": "    {}: string;\n"}
    return declared[language].format(field)
