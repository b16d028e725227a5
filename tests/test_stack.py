"""The local stack of `make start`: accounts, gateway, concurrency, settings, faults and shutdown."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from local.function_pool import FunctionError, FunctionPool
from local.template import Template
from tests.aws import make_client
from tests.loopback import respond, serve
from tests.stack import ROOT, Stack, find_free_ports, start_stack

pytestmark = pytest.mark.external


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack that all of these tests call."""
    with start_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


ACCOUNTS = "/v1/customers/me/accounts"


class TestAccounts:
    def test_rosie_has_one_seller_of_each_case(self, stack: Stack) -> None:
        response = stack.get(ACCOUNTS)
        assert response.status_code == 200
        accounts = {account["seller"]["name"]: account for account in response.json()["accounts"]}
        assert [accounts[name]["status"] for name in accounts] == ["not_connected", "not_connected", "connected"]
        assert [accounts[name].get("emailMatches") for name in accounts] == [True, False, None]
        assert "connect" not in accounts["Everyone Active"]

    def test_redirect_uri_gets_connect_urls_of_the_local_imin(self, stack: Stack) -> None:
        response = stack.get(ACCOUNTS, params={"redirectUri": "brokerapp://linked"})
        urls = response.json()["accounts"][0]["connect"]
        assert urls["suggested"] == "existing"
        assert urls["existingAccountUrl"].startswith(f"{stack.imin_url}/auth/connect-account?jwt=")
        assert urls["existingAccountUrl"] != urls["newAccountUrl"]
        assert response.json()["link"]["id"]

    def test_varied_reads_like_rosie_without_a_warning(self, stack: Stack) -> None:
        query = {"redirectUri": "brokerapp://linked"}
        varied, rosie = (stack.get(ACCOUNTS, customer, params=query).json() for customer in ("varied", "rosie"))
        assert varied["warnings"] == []
        for actual, expected in zip(varied["accounts"], rosie["accounts"], strict=True):
            assert actual["seller"] == expected["seller"]
            assert actual["status"] == expected["status"]
            assert actual.keys() == expected.keys()
            assert actual.get("emailMatches") == expected.get("emailMatches")
            assert actual.get("connect", {}).keys() == expected.get("connect", {}).keys()
        assert varied["accounts"][2]["connectedAt"] == "2021-01-27T12:00:00Z"
        assert varied["accounts"][2]["accessPasses"] == [{"text": "0012345678929", "updatedAt": "2021-01-27T00:00:00Z"}]

    @pytest.mark.parametrize(("customer", "statuses"), [("new", {"not_connected"}), ("member", {"connected"})])
    def test_new_is_connected_nowhere_and_member_everywhere(self, stack: Stack, customer: str, statuses: set[str]) -> None:
        assert {account["status"] for account in stack.get(ACCOUNTS, customer).json()["accounts"]} == statuses

    def test_member_has_evidence_requests_in_every_status_and_conflicts(self, stack: Stack) -> None:
        accounts = stack.get(ACCOUNTS, "member").json()["accounts"]
        assert {request["status"] for account in accounts for request in account["evidenceRequests"]} == {
            "potential",
            "active",
            "completed",
            "failed",
        }
        assert [len(account["entitlementErrors"]) for account in accounts] == [1, 0, 2]

    def test_many_has_500_sellers_in_a_compressed_response(self, stack: Stack) -> None:
        response = stack.get(ACCOUNTS, "many")
        assert len(response.json()["accounts"]) == 500
        assert response.headers["Content-Encoding"] == "gzip"

    @pytest.mark.parametrize(
        ("customer", "status", "code"),
        [
            ("slow", 504, "upstream_timeout"),
            ("broken", 502, "upstream_invalid_response"),
            ("busy", 503, "upstream_unavailable"),
            ("nobody", 404, "customer_not_found"),
        ],
    )
    def test_every_imin_failure_has_a_customer(self, stack: Stack, customer: str, status: int, code: str) -> None:
        response = stack.get(ACCOUNTS, customer)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers.get("Retry-After") == ("30" if customer == "busy" else None)

    def test_json_ld_and_304_pass_through(self, stack: Stack) -> None:
        headers = {"Authorization": f"Bearer {stack.token('rosie')}", "Accept": "application/ld+json"}
        first = stack.send("GET", ACCOUNTS, headers=headers)
        assert first.json()["@type"] == "imin:Collection"
        again = stack.send("GET", ACCOUNTS, headers={**headers, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


class TestGateway:
    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/nothing"), ("GET", "/v1/nothing"), ("PUT", "/v1/health"), ("HEAD", "/v1/health")]
    )
    def test_unrouted_request_is_404_from_the_gateway(self, stack: Stack, method: str, path: str) -> None:
        response = stack.send(method, path)
        assert response.status_code == 404
        assert method == "HEAD" or response.json() == {"message": "Not Found"}

    def test_health_needs_no_token(self, stack: Stack) -> None:
        assert stack.send("GET", "/v1/health").json() == {"status": "ok"}

    @pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer a.b.c", "Basic x"])
    def test_invalid_token_is_401_from_the_gateway(self, stack: Stack, authorization: str) -> None:
        response = stack.send("GET", ACCOUNTS, headers={"Authorization": authorization})
        assert (response.status_code, response.json()) == (401, {"message": "Unauthorized"})

    @pytest.mark.parametrize("claims", [{"exp": 1}, {"aud": "another"}, {"iss": "https://evil.example.com"}, {"nbf": 9999999999}])
    def test_token_with_an_invalid_claim_is_401_from_the_gateway(self, stack: Stack, claims: dict[str, object]) -> None:
        headers = {"Authorization": f"Bearer {stack.token('rosie', claims=claims)}"}
        assert stack.send("GET", ACCOUNTS, headers=headers).status_code == 401

    def test_path_of_another_customer_is_403_and_malformed_path_400(self, stack: Stack) -> None:
        assert stack.get("/v1/customers/member/accounts").status_code == 403
        assert stack.get("/v1/customers/a%2Fb/accounts").status_code == 400

    def test_any_claim_can_be_minted(self, stack: Stack) -> None:
        headers = {"Authorization": f"Bearer {stack.token('rosie', sub=5)}"}
        assert stack.send("GET", "/v1/customers/5/accounts", headers=headers).status_code in {401, 404}

    @pytest.mark.parametrize("body", ["rubbish", "[]", "{}", '{"sub": "rosie"}', '{"customerIdentifier": ""}'])
    def test_token_request_without_a_customer_is_400(self, stack: Stack, body: str) -> None:
        assert requests.post(f"{stack.url}/local/token", data=body, timeout=5).status_code == 400

    def test_access_log_has_the_route_instead_of_the_path(self, stack: Stack) -> None:
        stack.get(ACCOUNTS + "?sellerId=secret-query")
        log = stack.log.read_text()
        assert "GET /v1/customers/{customerIdentifier}/accounts 200" in log
        assert "secret-query" not in log


class TestConcurrency:
    def test_two_calls_run_concurrently_and_a_third_waits(self, tmp_path: Path) -> None:
        with start_stack(tmp_path) as stack:
            stack.get(ACCOUNTS)
            start = time.monotonic()
            with ThreadPoolExecutor(3) as pool:
                times = sorted(pool.map(lambda _: (stack.get(ACCOUNTS, "slow").status_code, time.monotonic() - start)[1], range(3)))
            assert times[1] < 6 < times[2]

    def test_dead_environment_is_replaced(self, tmp_path: Path) -> None:
        with start_stack(tmp_path, CONCURRENCY="1") as stack:
            children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children").read_text().split()
            for child in children:
                os.kill(int(child), signal.SIGKILL)
            while any(" Z " not in Path(f"/proc/{child}/stat").read_text() for child in children):
                time.sleep(0.01)  # waits for other processes, so a fake clock can't help
            assert stack.get(ACCOUNTS).status_code == 200

    def test_environment_dead_before_its_event_is_a_function_error(
        self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        webhook = next(function for function in Template().functions() if function.handler == "webhook.handler")
        pool = FunctionPool(webhook, {**os.environ, **environment}, concurrency=1)
        process = pool._idle.queue[0]
        assert process
        process.kill()
        monkeypatch.setattr(process, "is_running", lambda: True)  # as if the process died just after the check
        with pytest.raises(FunctionError):
            pool.invoke({})


class TestStartup:
    def test_stack_has_the_templates_secrets_and_supports_rotation(self, tmp_path: Path) -> None:
        with start_stack(tmp_path, IMIN_API_KEY="another-key", CONCURRENCY="1") as stack:
            assert stack.get(ACCOUNTS).status_code == 200
            client = make_client(stack.aws_url, "secretsmanager")
            assert client.get_secret_value(SecretId="IminApiKeySecret")["SecretString"] == "another-key"
            client.put_secret_value(SecretId="IminApiKeySecret", SecretString="wrong")
            assert stack.get(ACCOUNTS).status_code == 200, "the key is cached for five minutes"
            assert len(client.get_secret_value(SecretId="LinkStateSecret")["SecretString"]) >= 43

    def test_environment_setting_replaces_a_dependency(self, tmp_path: Path) -> None:
        with (
            serve(respond(b'{"imin:item": [], "imin:entitlementFilter": "mine"}')) as imin,
            start_stack(tmp_path, IMIN_BASE_URL=imin.url, CUSTOMER_CLAIM="customer", ALLOWED_REDIRECT_URIS="mine://app") as stack,
        ):
            assert stack.get(ACCOUNTS).json()["entitlementFilter"] == "mine"
            assert stack.get(ACCOUNTS, params={"redirectUri": "brokerapp://linked"}).status_code == 400
            assert stack.get(ACCOUNTS, params={"redirectUri": "mine://app"}).status_code == 200
            with pytest.raises(requests.ConnectionError):
                requests.get(stack.imin_url, timeout=1)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("LINK_TTL_SECONDS", "a day"), ("OIDC_AUDIENCE", ""), ("ALLOWED_REDIRECT_URIS", "http://example.com"), ("PORT", "x")],
    )
    def test_invalid_setting_stops_the_stack_with_its_name(self, name: str, value: str) -> None:
        ports = dict(zip(("PORT", "AWS_PORT", "IMIN_PORT"), map(str, find_free_ports(3)), strict=True))
        environment = {"PATH": os.environ["PATH"], **ports, name: value}
        result = subprocess.run(
            [sys.executable, "-m", "local"], cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False
        )
        assert result.returncode == 1
        assert name in result.stderr.decode().splitlines()[-1]

    def test_output_lists_all_urls(self, tmp_path: Path) -> None:
        with start_stack(tmp_path, CONCURRENCY="1", LOGS="", IMIN_BASEURL="x") as stack:
            log = stack.log.read_text()
            assert "IMIN_BASEURL is not a setting: did you mean IMIN_BASE_URL?" in log
            for text in (f"{stack.url}/  (sign in as rosie", f"{stack.url}/docs", f"{stack.imin_url}/  (", "stop         Ctrl-C"):
                assert text in log
            assert log.splitlines()[-1] == f"ready {stack.url}"

    def test_log_has_one_line_for_each_call_and_error(self, tmp_path: Path) -> None:
        with start_stack(tmp_path, CONCURRENCY="1", LOGS="") as stack:
            before = len(stack.log.read_text().splitlines())
            stack.get(ACCOUNTS)
            stack.get(ACCOUNTS, params={"redirectUri": "brokerapp://Linked"})
            assert stack.stop() == 0
            lines = stack.log.read_text().splitlines()[before:]
        assert len(lines) == 3
        assert len([line for line in lines if "GET /v1/customers/{customerIdentifier}/accounts" in line]) == 2
        assert f"  redirect_uri_not_allowed: allowed, compared exactly: brokerapp://linked,{stack.url}/" in lines

    @pytest.mark.parametrize("name", ["PORT", "AWS_PORT", "IMIN_PORT"])
    def test_taken_port_stops_the_stack(self, stack: Stack, name: str) -> None:
        ports = dict(zip(("PORT", "AWS_PORT", "IMIN_PORT"), map(str, find_free_ports(3)), strict=True))
        environment = {"PATH": os.environ["PATH"], **ports, name: stack.aws_url.rpartition(":")[2]}
        result = subprocess.run(
            [sys.executable, "-m", "local"], cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False
        )
        assert result.returncode == 1
        assert f"{name}: port {environment[name]} is in use, most likely by another `make start`" in result.stderr.decode()


class TestFaults:
    def test_every_fault_can_be_switched_on(self, stack: Stack) -> None:
        def switch(fault: str) -> None:
            assert requests.post(f"{stack.imin_url}/local/fault", data={"fault": fault}, timeout=5).status_code == 200

        try:
            accounts = stack.get(ACCOUNTS, "noor", params={"redirectUri": "brokerapp://linked"}).json()
            connect = next(account["connect"] for account in accounts["accounts"] if account["status"] == "not_connected")
            form = {"email": "noor@example.com", "password": "noor-password"}
            link = f"/v1/customers/me/links/{accounts['link']['id']}"
            switch("old-urls")
            assert requests.get(connect["existingAccountUrl"], timeout=5).status_code == 410
            switch("throttled")
            response = stack.get(ACCOUNTS, "noor")
            assert (response.status_code, response.json()) == (429, {"message": "Too Many Requests"})
            switch("storage-down")
            callback = requests.post(connect["existingAccountUrl"], data=form, timeout=20)
            assert callback.status_code == 503
            assert "Try again" in callback.text
            switch("imin-down")
            retry = stack.send("GET", urlsplit(callback.url).path)
            assert retry.headers["Location"].endswith("status=received")
            assert stack.get(link, "noor").json()["status"] == "received"
            switch("nothing")
            assert stack.get(link, "noor").json()["status"] == "confirmed"
        finally:
            switch("nothing")


class TestShutdown:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_signal_stops_the_whole_stack(self, tmp_path: Path, number: int) -> None:
        with start_stack(tmp_path) as stack:
            stack.get(ACCOUNTS)
            children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children").read_text().split()
            assert stack.stop(number) == 0
            assert "Traceback" not in stack.log.read_text()
        assert len(children) >= 2
        assert not any(Path(f"/proc/{child}").exists() for child in children)

    def test_sigterm_to_make_stops_the_stack(self, tmp_path: Path) -> None:
        with start_stack(tmp_path, ("make", "start")) as stack:
            stack.stop()
            for _ in range(100):
                try:
                    requests.get(stack.url + "/v1/health", timeout=1)
                except requests.ConnectionError:
                    return
                time.sleep(0.05)  # waits for another process, so a fake clock can't help
            raise AssertionError("the stack outlived make")


def test_callback_is_settled_after_imin_is_back(tmp_path: Path) -> None:
    is_down = False
    connected: list[str] = []

    def script(connection: socket.socket, request: bytes) -> None:
        items = [{"seller": {"@id": seller}, "dateLinked": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"} for seller in connected]
        body = json.dumps({"imin:item": items}).encode()
        respond(body, "500 Down" if is_down else "200 OK")(connection, request)

    with serve(script) as imin, start_stack(tmp_path, IMIN_BASE_URL=imin.url, CONCURRENCY="1") as stack:
        link_id = stack.get(ACCOUNTS, params={"redirectUri": "brokerapp://linked"}).json()["link"]["id"]
        callback = parse_qs(urlsplit(imin.requests[-1].split()[1].decode()).query)["redirectUri"][0]
        connected.append("1")
        is_down = True
        location = stack.send("GET", callback.removeprefix(stack.url)).headers["Location"]
        assert location == f"brokerapp://linked?linkId={link_id}&status=received"
        assert stack.get(f"/v1/customers/me/links/{link_id}").json()["status"] == "received"
        is_down = False
        link = stack.get(f"/v1/customers/me/links/{link_id}").json()
        assert (link["status"], [seller["id"] for seller in link["sellers"]]) == ("confirmed", ["1"])
        assert callback.rpartition("/")[2] not in stack.log.read_text()
