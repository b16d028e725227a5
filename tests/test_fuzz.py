"""Schemathesis against the local stack: thousands of valid and invalid calls generated from `openapi.json`, single and in sequence.

`make fuzz` runs it with `EXAMPLES` calls; `make test` does not. `openapi.json` must describe every response, and no call may cause
a 500.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from tests.conformance import DOCUMENT
from tests.stack import ROOT, Stack, start_stack

pytestmark = [pytest.mark.external, pytest.mark.fuzz]

SCHEMATHESIS = ROOT / ".venv-fuzz" / "bin" / "schemathesis"
EXAMPLES = int(os.environ.get("EXAMPLES", "10000"))
OPERATIONS = sum(map(len, DOCUMENT["paths"].values()))
WEBHOOK_KEY = "local-webhook-key"
REDIRECT_URI = "brokerapp://linked"
CONFIGURATION = Template("""
max-redirects = 0
continue-on-failure = true
warnings = false

[auth.openapi.bearerAuth]
bearer = $token
[auth.openapi.webhookKey]
api_key = $webhook_key

[dictionaries]
customers = {values = ["me", "rosie", "member"]}
links = {values = [$link]}
states = {values = [$state]}
cursors = {values = [$cursor]}
redirects = {values = [$redirect_uri]}

[parameters]
"path.customerIdentifier" = {dictionary = "customers", probability = 0.8}
"path.linkId" = {dictionary = "links", probability = 0.5}
"path.state" = {dictionary = "states", probability = 0.5}
"query.cursor" = {dictionary = "cursors", probability = 0.5}
"query.redirectUri" = {dictionary = "redirects", probability = 0.5}

[checks]
enabled = true

# A schema can't express which cursors, states and redirect URIs are valid: well-formed ones may be rejected.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "410"]

# For an unknown method of a known path, API Gateway returns 404 instead of 405.
[checks.unsupported_method]
enabled = false

# A notice whose type isn't a string is accepted.
[[operations]]
include-operation-id = "receiveIminNotice"
checks.negative_data_rejection.expected-statuses = ["204", "400", "401", "413"]
""")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack with a customer who has a link and two notices."""
    with start_stack(tmp_path_factory.mktemp("fuzz")) as started:
        yield started


@pytest.fixture
def valid_values(stack: Stack) -> Mapping[str, str]:
    """Provide valid values that random ones won't hit: token, link, state and cursor."""
    accounts = stack.get("/v1/customers/me/accounts", params={"redirectUri": REDIRECT_URI}).json()
    query = parse_qs(urlsplit(accounts["accounts"][0]["connect"]["newAccountUrl"]).query)
    callback = jwt.decode(query["jwt"][0], options={"verify_signature": False})["redirect_uri"]
    assert stack.send("GET", callback.removeprefix(stack.url)).status_code == 303
    for _ in range(2):
        notice = {"identifier": "rosie", "@type": "CustomerAccount"}
        assert stack.send("POST", "/v1/webhooks/imin", json=notice, headers={"X-Api-Key": WEBHOOK_KEY}).status_code == 204
    return {
        "token": stack.token("rosie"),
        "webhook_key": WEBHOOK_KEY,
        "link": accounts["link"]["id"],
        "state": callback.rpartition("/")[2],
        "cursor": stack.get("/v1/customers/me/notices", params={"limit": "1"}).json()["nextCursor"],
        "redirect_uri": REDIRECT_URI,
    }


def test_fuzzed_calls_get_only_described_responses(stack: Stack, valid_values: Mapping[str, str], tmp_path: Path) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.substitute({name: json.dumps(value) for name, value in valid_values.items()}))
    command = [str(SCHEMATHESIS), "--config-file", str(configuration), "run", str(ROOT / "openapi.json"), "--url", stack.url]
    options = ["--max-examples", str(-(-EXAMPLES // OPERATIONS)), "--workers", "2", "--no-color"]

    result = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603

    assert result.returncode == 0, result.stdout + result.stderr
    (calls,) = re.findall(r"(\d[\d,]*) generated", result.stdout)
    assert int(calls.replace(",", "")) >= EXAMPLES
    assert "Traceback" not in stack.log.read_text()
