"""The demo app's files as served by the local stack, and its client, which is generated from `openapi.json`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from local.browser_client import make_browser_client
from local.demo import FOLDER
from tests.conformance import DOCUMENT
from tests.stack import Stack, start_stack

pytestmark = pytest.mark.external

FILES = [f"/app/{file.name}" for file in FOLDER.iterdir()]


class TestFiles:
    @pytest.mark.parametrize("path", ["/", "/?linkId=x&status=confirmed", "/app/client.js", *FILES])
    def test_files_have_a_strict_content_security_policy(self, stack: Stack, path: str) -> None:
        response = requests.get(stack.url + path, timeout=5)

        assert response.status_code == 200
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "script-src 'self'; style-src 'self';" in policy
        assert "unsafe" not in policy
        assert response.headers["Referrer-Policy"] == "no-referrer"

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/app/"), ("GET", "/app/nothing.js"), ("GET", "/app/%2e%2e/imin.css"), ("POST", "/"), ("GET", "/index.html")],
    )
    def test_unknown_path_is_404_from_the_gateway(self, stack: Stack, method: str, path: str) -> None:
        response = requests.request(method, stack.url + path, timeout=5)
        assert (response.status_code, response.json()) == (404, {"message": "Not Found"})

    def test_localhost_redirects_to_the_origin_of_redirect_uris(self, stack: Stack) -> None:
        response = requests.get(f"{stack.url}/?linkId=x", headers={"Host": "localhost:3000"}, allow_redirects=False, timeout=5)
        assert (response.status_code, response.headers["Location"]) == (302, "http://127.0.0.1:3000/?linkId=x")

    def test_external_issuer_disables_the_demo(self, tmp_path: Path) -> None:
        with start_stack(tmp_path, CONCURRENCY="1", OIDC_ISSUER="https://identity.example.com") as stack:
            assert requests.get(stack.url, timeout=5).json() == {"message": "Not Found"}

    def test_scripts_never_parse_text_as_html(self) -> None:
        for file in FOLDER.glob("*.js"):
            text = file.read_text()
            assert text.startswith("// "), f"{file.name} must start with a comment on its purpose"
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text), file.name


class TestClient:
    def test_client_has_all_operations_with_a_customer_token(self) -> None:
        names = re.findall(r"^export const (\w+) =", make_browser_client(DOCUMENT), re.MULTILINE)
        assert sorted(names) == ["eraseRecords", "getAccounts", "getLink", "listLinks", "listNotices"]

    def test_client_puts_parameters_where_the_document_says(self) -> None:
        (call,) = re.findall(r"export const getAccounts = .*\n(.*)", make_browser_client(DOCUMENT))
        assert "`/v1/customers/${encodeURIComponent(customerIdentifier)}/accounts`" in call
        assert '{ "redirectUri": redirectUri, "sellerId": sellerId, "status": status }, { "If-None-Match": ifNoneMatch }' in call

    def test_description_cannot_escape_its_comment(self) -> None:
        document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
        document["components"]["parameters"]["limit"]["description"] = "ends */ alert(1)\nhere"
        assert "parameters.limit] ends * / alert(1) here\n" in make_browser_client(document)
