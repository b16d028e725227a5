"""The built functions, run by the SAM CLI in Lambda's containers: every sample event, the accounts, a whole link journey.

`make test-sam` builds them and runs these tests; `make test` does not.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from tests.conftest import EVENT_NAMES, EVENTS, ROUTES, event
from tests.stack import ROOT, find_free_ports

pytestmark = [pytest.mark.external, pytest.mark.sam]

STATUSES = {"link-callback-get": 400, "link-get": 404, "records-delete": 204, "webhook-post": 204}
"""The status of each event sent to new functions, if it isn't 200."""
START_SECONDS = 120


def _build_command(*arguments: str) -> list[str]:
    options = os.environ.get("SAM_LOCAL_ARGS", "").split()
    return [sys.executable, "-m", "local.sam", str(ROOT / ".venv-sam/bin/sam"), *arguments, *options]


def _build_environment() -> dict[str, str]:
    ports = dict(zip(("PORT", "AWS_PORT", "IMIN_PORT", "ISSUER_PORT"), map(str, find_free_ports(4)), strict=True))
    return {**os.environ, **ports, "SAM_CLI_TELEMETRY": "0", "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def running(log: Path, *arguments: str) -> Iterator[tuple[str, str]]:
    """Run `sam local` with `arguments`; yield its URL and its log once it is ready."""
    environment = _build_environment()
    with log.open("wb") as output:
        process = subprocess.Popen(_build_command(*arguments), cwd=ROOT, env=environment, stdout=output, stderr=output)  # noqa: S603
        try:
            deadline = time.monotonic() + START_SECONDS
            while "Running on" not in log.read_text(errors="replace"):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < deadline, log.read_text(errors="replace")
                time.sleep(0.1)  # waits for another process, so a fake clock can't help
            yield f"http://127.0.0.1:{environment['PORT']}", log.read_text(errors="replace")
        finally:
            process.terminate()
            process.wait(60)


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_sam_local_invoke_serves_every_event(name: str) -> None:
    function = ROUTES[event(name)["routeKey"]]
    command = _build_command("invoke", function, "--event", str(EVENTS / f"{name}.json"))
    result = subprocess.run(command, cwd=ROOT, env=_build_environment(), capture_output=True, check=True, timeout=120)  # noqa: S603
    response = json.loads(result.stdout.decode().strip().splitlines()[-1])
    assert response["statusCode"] == STATUSES.get(name, 200)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Run `sam local start-api`; yield its URL, imin's URL, and headers with rosie's token."""
    with running(tmp_path_factory.mktemp("sam") / "api.log", "start-api", "--warm-containers", "LAZY") as (url, log):
        (line,) = (line for line in log.splitlines() if line.startswith("issuer "))
        issuer, imin = line.removeprefix("issuer ").split(", imin ")
        token = requests.post(f"{issuer}/token", json={"customerIdentifier": "rosie"}, timeout=30).json()["accessToken"]
        yield url, imin, {"Authorization": f"Bearer {token}"}


class TestStartApi:
    def test_sam_local_api_serves_the_accounts(self, api: tuple[str, str, dict[str, str]]) -> None:
        url, _, headers = api
        response = requests.get(f"{url}/v1/customers/me/accounts", headers=headers, timeout=60)
        assert [account["status"] for account in response.json()["accounts"]] == ["not_connected", "not_connected", "connected"]
        assert response.headers["Content-Encoding"] == "gzip"

    def test_function_verifies_tokens_under_sam_local(self, api: tuple[str, str, dict[str, str]]) -> None:
        response = requests.get(f"{api[0]}/v1/customers/me/accounts", headers={"Authorization": "Bearer a.b.c"}, timeout=60)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")

    def test_sam_local_api_serves_a_whole_link_journey(self, api: tuple[str, str, dict[str, str]]) -> None:
        url, imin, headers = api
        rosie = f"{url}/v1/customers/me"
        accounts = requests.get(f"{rosie}/accounts?redirectUri=brokerapp://linked", headers=headers, timeout=60).json()
        connect_url = accounts["accounts"][0]["connect"]["existingAccountUrl"]
        login = {"email": "rosie@example.com", "password": "rosie-password"}
        callback = requests.post(connect_url, data=login, allow_redirects=False, timeout=60).headers["Location"]
        redirect = requests.get(callback, allow_redirects=False, timeout=60)
        assert redirect.status_code == 303
        assert redirect.headers["Location"] == f"brokerapp://linked?linkId={accounts['link']['id']}&status=confirmed"
        link = requests.get(f"{rosie}/links/{accounts['link']['id']}", headers=headers, timeout=60).json()
        assert [seller["name"] for seller in link["sellers"]] == ["Everyone Active"]

        form = {"customer": "rosie", "seller": "everyone-active"}
        assert requests.post(f"{imin}/local/disconnect", data=form, allow_redirects=False, timeout=60).status_code == 303
        assert len(requests.get(f"{rosie}/notices", headers=headers, timeout=60).json()["notices"]) == 1
        assert requests.delete(f"{rosie}/records", headers=headers, timeout=60).status_code == 204
        assert requests.get(f"{rosie}/links", headers=headers, timeout=60).json() == {"links": []}


def test_sam_local_lambda_is_invoked_by_boto3(tmp_path: Path) -> None:
    with running(tmp_path / "lambda.log", "start-lambda", "--warm-containers", "LAZY") as (url, _):
        credentials = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-2"}
        client: Any = boto3.client("lambda", endpoint_url=url, **credentials)  # type: ignore[call-overload]  # the keys are valid
        invocation = client.invoke(FunctionName="AccountsFunction", Payload=json.dumps(event("accounts-get")))
        response = json.loads(invocation["Payload"].read())
        assert json.loads(response["body"])["customerIdentifier"] == "rosie"
