"""What the local stack serves of the demo app: its files and no others, and the client that is made from `openapi.json`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from local.browser_client import make_browser_client
from local.demo import FOLDER
from tests.conformance import DOCUMENT
from tests.stack import Stack, running

pytestmark = pytest.mark.external

FILES = [f"/app/{file.name}" for file in FOLDER.iterdir()]


class TestFiles:
    @pytest.mark.parametrize("path", ["/", "/?linkId=x&status=confirmed", "/app/client.js", *FILES])
    def test_each_comes_under_a_strict_policy(self, stack: Stack, path: str) -> None:
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
    def test_what_is_not_the_demos_is_the_gateways_own_404(self, stack: Stack, method: str, path: str) -> None:
        response = requests.request(method, stack.url + path, timeout=5)
        assert (response.status_code, response.json()) == (404, {"message": "Not Found"})

    def test_customers_come_back_to_one_origin_so_the_other_name_of_it_leads_there(self, stack: Stack) -> None:
        answer = requests.get(f"{stack.url}/?linkId=x", headers={"Host": "localhost:3000"}, allow_redirects=False, timeout=5)
        assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:3000/?linkId=x")

    def test_another_issuers_customers_can_not_be_signed_in_so_there_is_no_demo(self, tmp_path: Path) -> None:
        with running(tmp_path, CONCURRENCY="1", OIDC_ISSUER="https://identity.example.com") as stack:
            assert requests.get(stack.url, timeout=5).json() == {"message": "Not Found"}

    def test_no_file_makes_html_of_text(self) -> None:
        for file in FOLDER.glob("*.js"):
            text = file.read_text()
            assert text.startswith("// "), f"{file.name} says what it is for"
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text), file.name


class TestClient:
    def test_it_has_the_operations_that_take_a_customers_token(self) -> None:
        names = re.findall(r"^export const (\w+) =", make_browser_client(DOCUMENT), re.MULTILINE)
        assert names == ["getAccounts", "listLinks", "getLink", "listNotices", "eraseRecords"]

    def test_it_sends_parameters_to_where_the_document_says(self) -> None:
        (call,) = re.findall(r"export const getAccounts = .*\n(.*)", make_browser_client(DOCUMENT))
        assert "`/v1/customers/${encodeURIComponent(customerIdentifier)}/accounts`" in call
        assert '{ "redirectUri": redirectUri, "sellerId": sellerId, "status": status }, { "If-None-Match": ifNoneMatch }' in call

    def test_a_word_of_the_document_stays_in_its_comment(self) -> None:
        document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
        document["components"]["parameters"]["limit"]["description"] = "ends */ alert(1)\nhere"
        assert "parameters.limit] ends * / alert(1) here\n" in make_browser_client(document)
