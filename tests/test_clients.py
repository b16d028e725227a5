"""The clients generated from `openapi.json`: the TypeScript client at run time, and the source of the Swift and Kotlin clients.

`make test-clients` generates them and runs these tests; `make test` does not. Swift and Kotlin are parsed, but not compiled.
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
MODELS = set(DOCUMENT["components"]["schemas"]) - {"IminNotice", "JsonLd", "Page"}  # an app receives none of these as JSON
GRAMMARS = {"swift": tree_sitter_swift.language(), "kotlin": tree_sitter_kotlin.language()}
OPEN_FIELDS = {"Connect": "suggested", "EvidenceRequest": "status", "LinkRecord": "status", "Problem": "code", "Warning": "code"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a local stack."""
    with start_stack(tmp_path_factory.mktemp("clients")) as started:
        yield started


class TestTypeScript:
    @pytest.mark.parametrize("program", ["journey", "errors", "newer"])
    def test_program_with_the_generated_client_succeeds(self, stack: Stack, program: str) -> None:
        node = shutil.which("node")
        assert node, "Node.js is required to test the TypeScript client"
        environment = {**os.environ, "API_URL": stack.url, "IMIN_URL": stack.imin_url}
        command = [node, str(CLIENTS / "tests" / f"{program}.js")]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
        assert result.returncode == 0, result.stdout + result.stderr

    def test_generated_client_needs_no_package(self) -> None:
        imports = [line for path in _find_sources("typescript") for line in path.read_text().splitlines() if " from '" in line]
        assert imports
        assert all(" from './" in line or " from '../" in line for line in imports)


@pytest.mark.parametrize("language", GRAMMARS)
def test_generated_source_has_no_syntax_error(language: str) -> None:
    parser = Parser(Language(GRAMMARS[language]))
    sources = [path for path in _find_sources(language) if path.parent.name.casefold() in {"apis", "models"}]
    assert sources
    assert not [path.name for path in sources if parser.parse(path.read_bytes()).root_node.has_error]


@pytest.mark.parametrize("language", LANGUAGES)
class TestSource:
    def test_every_operation_is_generated(self, language: str) -> None:
        declaration = {"swift": "open class func {}(", "kotlin": "suspend fun {}(", "typescript": "    async {}("}[language]
        source = "\n".join(path.read_text() for path in _find_sources(language))
        assert [operation for operation in OPERATIONS if declaration.format(operation) in source] == OPERATIONS

    def test_every_model_is_generated(self, language: str) -> None:
        assert {path.stem for path in _find_sources(language)} >= MODELS

    def test_open_enumeration_is_a_string(self, language: str) -> None:
        for model, field in OPEN_FIELDS.items():
            assert _declare_string_field(language, field) in _read_source(language, model), f"{model}.{field}"

    def test_account_with_a_new_status_is_read_as_unknown(self, language: str) -> None:
        decode = {"swift": "decode({}.self)", "kotlin": "decodeFromJsonElement<{}>", "typescript": "(instanceOf{}(json))"}[language]
        account = _read_source(language, "Account")
        positions = [account.index(decode.format(case)) for case in ("Connected", "NotConnected", "Unknown")]
        assert positions == sorted(positions)
        assert _declare_string_field(language, "status") in _read_source(language, "Unknown")

    def test_known_case_rejects_any_other_status(self, language: str) -> None:
        check = {"swift": '= "{}"\n', "kotlin": '("{}");\n', "typescript": "!== '{}') return false;"}[language]
        for model, status in (("Connected", "connected"), ("NotConnected", "not_connected")):
            assert check.format(status) in _read_source(language, model)
            assert "unknowndefault" not in _read_source(language, model).replace("_", "").casefold()


def _find_sources(language: str) -> list[Path]:
    """Find the source files of a client."""
    folder = CLIENTS / language
    return [path for path in folder.rglob(f"*.{SUFFIXES[language]}") if "dist" not in path.relative_to(folder).parts]


def _read_source(language: str, model: str) -> str:
    (path,) = (path for path in _find_sources(language) if path.stem == model)
    return path.read_text()


def _declare_string_field(language: str, field: str) -> str:
    """Return the declaration of `field` as any string."""
    declarations = {"swift": "public var {}: String\n", "kotlin": "val {}: kotlin.String,\n", "typescript": "    {}: string;\n"}
    return declarations[language].format(field)
