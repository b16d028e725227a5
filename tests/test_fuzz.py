"""Schemathesis against the local stack: thousands of calls made of `openapi.json`, good and bad, alone and one after another.

`make fuzz` runs it, with as many examples as `EXAMPLES` says; `make test` does not. Every answer must be one that the document
describes, and none a failure.
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

# Which cursor, state and redirect URI are good can't be said by a schema: others of the right shape are refused too.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "410"]

# API Gateway answers 404, and not 405, where a path is known and the method is not.
[checks.unsupported_method]
enabled = false

# A notice with a type that is no text is a notice all the same.
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
def known(stack: Stack) -> Mapping[str, str]:
    """Provide valid values that random ones won't hit: token, link, state and cursor."""
    listed = stack.get("/v1/customers/me/accounts", params={"redirectUri": REDIRECT_URI}).json()
    query = parse_qs(urlsplit(listed["accounts"][0]["connect"]["newAccountUrl"]).query)
    callback = jwt.decode(query["jwt"][0], options={"verify_signature": False})["redirect_uri"]
    assert stack.send("GET", callback.removeprefix(stack.url)).status_code == 303
    for _ in range(2):
        notice = {"identifier": "rosie", "@type": "CustomerAccount"}
        assert stack.send("POST", "/v1/webhooks/imin", json=notice, headers={"X-Api-Key": WEBHOOK_KEY}).status_code == 204
    return {
        "token": stack.token("rosie"),
        "webhook_key": WEBHOOK_KEY,
        "link": listed["link"]["id"],
        "state": callback.rpartition("/")[2],
        "cursor": stack.get("/v1/customers/me/notices", params={"limit": "1"}).json()["nextCursor"],
        "redirect_uri": REDIRECT_URI,
    }


def test_fuzzed_calls_get_only_described_responses(stack: Stack, known: Mapping[str, str], tmp_path: Path) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.substitute({name: json.dumps(value) for name, value in known.items()}))
    command = [str(SCHEMATHESIS), "--config-file", str(configuration), "run", str(ROOT / "openapi.json"), "--url", stack.url]
    options = ["--max-examples", str(-(-EXAMPLES // OPERATIONS)), "--workers", "2", "--no-color"]

    ended = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603

    assert ended.returncode == 0, ended.stdout + ended.stderr
    (made,) = re.findall(r"(\d[\d,]*) generated", ended.stdout)
    assert int(made.replace(",", "")) >= EXAMPLES
    assert "Traceback" not in stack.log.read_text()
