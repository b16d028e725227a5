"""GET /v1/link-callbacks/{state}: the stored record, the outcome of the link, and the redirect."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from seller_accounts.aws.secret import Secret, make_client
from seller_accounts.imin import imin_client
from seller_accounts.links.link_state import LinkState, LinkStates, join_digests
from seller_accounts.routes import link_callback
from seller_accounts.settings import StateSettings
from tests.aws import read_link_record
from tests.conftest import STATE_KEY, Context, Imin, Output, event, recording_calls
from tests.linking import REDIRECT_URI, Customer, parse_query

UNAVAILABLE = ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "UpdateItem")


class TestCallback:
    def test_new_connection_is_recorded_and_redirected_to_the_app(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")

        response = rosie.open_callback(state, "status=success")

        assert response.status == 303
        assert response.headers["location"] == f"{REDIRECT_URI}&linkId={link_id}&status=confirmed"
        link = rosie.read_link(link_id)
        assert link["sellers"] == [{"id": "1", "name": "Seller 1", "connectedAt": rosie.connected["1"]}]
        assert (link["id"], link["status"], link["callbackCount"]) == (link_id, "confirmed", 1)

    def test_redirect_uri_without_a_query_gets_one(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link("https://app.example.com/linked")
        location = rosie.open_callback(state).headers["location"]
        assert location == f"https://app.example.com/linked?linkId={link_id}&status=not_confirmed"

    def test_redirect_body_has_a_button_with_the_same_url(self, rosie: Customer) -> None:
        _, state = rosie.get_link()
        response = rosie.open_callback(state)
        assert f'<a href="{response.headers["location"].replace("&", "&amp;")}">' in response.body.decode()

    def test_callback_without_a_connection_is_not_confirmed(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        assert parse_query(rosie.open_callback(state))["status"] == "not_confirmed"
        assert rosie.read_link(link_id)["sellers"] == []

    def test_callback_query_is_not_trusted(self, rosie: Customer) -> None:
        _, state = rosie.get_link()
        assert parse_query(rosie.open_callback(state, "status=success&linkId=evil"))["status"] == "not_confirmed"

    @pytest.mark.parametrize("header", ["sec-purpose", "purpose", "x-moz"])
    @pytest.mark.parametrize("value", ["prefetch", "prefetch;prerender", "Prefetch"])
    def test_prefetch_stores_nothing_and_does_not_redirect(
        self, rosie: Customer, calls: list[str], header: str, value: str
    ) -> None:
        _, state = rosie.get_link()
        calls.clear()
        payload = event("link-callback-get")
        payload["pathParameters"]["state"] = state
        payload["headers"][header] = value
        response = rosie.callbacks.send(payload)
        assert (response.status, response.body, response.headers) == (204, b"", {"cache-control": "no-store"})
        assert calls == []


class TestNewConnections:
    def test_clock_skew_of_five_minutes_is_tolerated(self, rosie: Customer) -> None:
        _, state = rosie.get_link()
        rosie.connect("1", datetime.now(UTC) - timedelta(minutes=4, seconds=50))
        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"

    def test_older_connection_does_not_count(self, rosie: Customer) -> None:
        _, state = rosie.get_link()
        rosie.connect("1", datetime.now(UTC) - timedelta(minutes=5, seconds=10))
        assert parse_query(rosie.open_callback(state))["status"] == "not_confirmed"

    def test_seller_connected_before_the_link_never_counts(self, rosie: Customer) -> None:
        rosie.connect("1")
        _, state = rosie.get_link()
        assert parse_query(rosie.open_callback(state))["status"] == "not_confirmed"
        rosie.connect("2")
        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"

    def test_seller_without_an_id_does_not_count(self, rosie: Customer, imin: Imin) -> None:
        _, state = rosie.get_link()
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        imin.respond_with({"imin:item": [{"seller": {"name": "A"}, "dateLinked": now}]})
        assert parse_query(rosie.open_callback(state))["status"] == "not_confirmed"

    @pytest.mark.parametrize("linked", [{"dateLinked": "soon"}, {"accessPass": {"text": "1"}}])
    def test_new_connection_without_a_readable_date_counts(self, rosie: Customer, imin: Imin, linked: dict[str, Any]) -> None:
        link_id, state = rosie.get_link()
        imin.respond_with({"imin:item": [{"seller": {"@id": "1", "name": "A"}, **linked}]})
        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"
        assert rosie.read_link(link_id)["sellers"] == [{"id": "1", "name": "A"}]

    def test_seller_whose_date_becomes_readable_later_does_not_count(self, rosie: Customer, imin: Imin) -> None:
        imin.respond_with({"imin:item": [{"seller": {"@id": "1"}, "dateLinked": "soon"}]})
        _, state = rosie.get_link()
        rosie.connect("1")
        assert parse_query(rosie.open_callback(state))["status"] == "not_confirmed"

    def test_without_a_stored_link_the_date_alone_decides(
        self, rosie: Customer, imin: Imin, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(dynamodb, "put_item", _fail_with(UNAVAILABLE))
            _, state = rosie.get_link()
        imin.respond_with({"imin:item": [{"seller": {"@id": "2"}, "accessPass": {"text": "1"}}]})
        assert parse_query(rosie.open_callback(state))["status"] == "not_confirmed"
        rosie.connect("1")
        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"

    def test_state_of_an_earlier_version_is_settled_by_its_digests(
        self, rosie: Customer, imin: Imin, environment: dict[str, str]
    ) -> None:
        rosie.connect("1")
        states = LinkStates(StateSettings("", 86400), Secret(make_client(), environment["LINK_STATE_SECRET"]))
        serializer = states._serializer([STATE_KEY])
        link_id = "0198c7a4-5b00-7000-8000-000000000001"
        state = serializer.dumps(LinkState(link_id, "rosie", "brokerapp://linked", join_digests(["1"])))
        assert (
            parse_query(rosie.open_callback(str(state, "ascii") if isinstance(state, bytes) else state))["status"]
            == "not_confirmed"
        )
        imin.respond_with({"imin:item": [{"seller": {"@id": "2"}, "accessPass": {"text": "1"}}]})
        assert rosie.read_link(link_id)["status"] == "confirmed"


class TestRepeatedCallbacks:
    def test_two_sellers_connected_from_one_list_are_both_recorded(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        rosie.open_callback(state)
        rosie.connect("2")

        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"

        link = rosie.read_link(link_id)
        assert [seller["id"] for seller in link["sellers"]] == ["1", "2"]
        assert link["callbackCount"] == 2

    def test_sellers_are_listed_in_connection_order(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        for number, seller in enumerate(["3", "1", "2"]):
            rosie.connect(seller, datetime.now(UTC) + timedelta(seconds=number))
        rosie.open_callback(state)
        assert [seller["id"] for seller in rosie.read_link(link_id)["sellers"]] == ["3", "1", "2"]

    def test_confirmed_link_stays_confirmed(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        rosie.open_callback(state)
        rosie.connected.clear()
        rosie.program_imin()

        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"
        assert [seller["id"] for seller in rosie.read_link(link_id)["sellers"]] == ["1"]

    def test_unconfirmed_link_can_be_confirmed_later(self, rosie: Customer) -> None:
        _, state = rosie.get_link()
        rosie.open_callback(state)
        rosie.connect("3")
        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"

    def test_twenty_callbacks_are_stored_and_all_are_counted(
        self, rosie: Customer, dynamodb: Any, environment: dict[str, str]
    ) -> None:
        conditions: list[str] = []
        link_id, state = rosie.get_link()
        with recording_calls(dynamodb, lambda _, params: conditions.append(params.get("ConditionExpression", "none"))):
            for number in range(22):
                rosie.open_callback(state, f"number={number}")
            assert rosie.read_link(link_id)["callbackCount"] == 22

        assert "" not in conditions
        item = read_link_record(dynamodb)
        stored = [callback["M"] for callback in item["callbacks"]["L"]]
        assert [callback["query"]["S"] for callback in stored] == [f"number={number}" for number in range(20)]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", callback["at"]["S"]) for callback in stored)

    def test_callback_query_is_stored_unchanged_up_to_2_kib(self, rosie: Customer, dynamodb: Any) -> None:
        _, state = rosie.get_link()
        query = "a=%20&&=?" + "x" * 3000
        rosie.open_callback(state, query)
        item = read_link_record(dynamodb)
        assert item["callbacks"]["L"][0]["M"]["query"]["S"] == query[:2048]

    def test_callback_query_is_not_cut_within_a_character(
        self, rosie: Customer, dynamodb: Any, environment: dict[str, str]
    ) -> None:
        _, state = rosie.get_link()
        rosie.open_callback(state, "x" + "é" * 1500)
        item = read_link_record(dynamodb)
        assert item["callbacks"]["L"][0]["M"]["query"]["S"] == "x" + "é" * 1023

    def test_many_sellers_connected_together_are_all_recorded(self, rosie: Customer, imin: Imin, calls: list[str]) -> None:
        link_id, state = rosie.get_link()
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        imin.respond_with({"imin:item": [{"seller": {"@id": f"seller-{n}"}, "dateLinked": now} for n in range(120)]})
        calls.clear()
        rosie.open_callback(state)
        writes = [call for call in calls if call != "GetItem"]
        assert writes == ["UpdateItem"] * 4, "one for the callback, and one for each 50 sellers"
        assert len(rosie.read_link(link_id)["sellers"]) == 120

    def test_new_callback_reopens_a_link_that_was_not_confirmed(self, rosie: Customer, imin: Imin) -> None:
        link_id, state = rosie.get_link()
        assert parse_query(rosie.open_callback(state))["status"] == "not_confirmed"
        imin.respond_with({}, 503)
        assert parse_query(rosie.open_callback(state))["status"] == "received"
        assert rosie.read_link(link_id)["status"] == "received"
        rosie.connect("1")
        assert rosie.read_link(link_id)["status"] == "confirmed"

    def test_confirmed_link_with_twenty_callbacks_counts_another(self, rosie: Customer, calls: list[str]) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        for _ in range(21):
            rosie.open_callback(state)
        calls.clear()
        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"
        writes = [call for call in calls if call != "GetItem"]
        assert writes == ["UpdateItem"] * 2, "one fails because the link is confirmed and full, and one only counts"
        assert rosie.read_link(link_id)["callbackCount"] == 22

    def test_failed_batch_of_sellers_is_added_by_the_next_read(
        self, rosie: Customer, imin: Imin, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link_id, state = rosie.get_link()
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        imin.respond_with({"imin:item": [{"seller": {"@id": f"seller-{n}"}, "dateLinked": now} for n in range(120)]})
        update = dynamodb.update_item
        results = iter([update, update, _fail_with(UNAVAILABLE)])
        with monkeypatch.context() as patch:
            patch.setattr(dynamodb, "update_item", lambda **params: next(results)(**params))
            assert parse_query(rosie.open_callback(state))["status"] == "received"
        link = rosie.read_link(link_id)
        assert (link["status"], len(link["sellers"])) == ("confirmed", 120)

    def test_record_stays_below_400_kb_for_any_sellers(
        self, rosie: Customer, imin: Imin, dynamodb: Any, environment: dict[str, str]
    ) -> None:
        link_id, state = rosie.get_link()
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        sellers = [{"@id": f"{n:03}{'x' * 997}", "name": "é" * 1000} for n in range(500)]
        imin.respond_with({"imin:item": [{"seller": seller, "dateLinked": now} for seller in sellers]})
        for _ in range(20):
            assert parse_query(rosie.open_callback(state, "x" * 3000))["status"] == "confirmed"
        assert len(rosie.read_link(link_id)["sellers"]) == 42
        item = read_link_record(dynamodb)
        assert len(json.dumps(item, default=str, ensure_ascii=False).encode()) < 400 * 1024


class TestStoredRecord:
    def test_record_has_the_documented_attributes(self, rosie: Customer, dynamodb: Any, environment: dict[str, str]) -> None:
        link_id, state = rosie.get_link()
        rosie.open_callback(state)
        item = read_link_record(dynamodb)
        assert (item["pk"]["S"], item["sk"]["S"]) == ("CUSTOMER#rosie", f"LINK#{link_id}")
        lifetime = int(item["expiresAt"]["N"]) - datetime.now(UTC).timestamp()
        assert lifetime == pytest.approx(400 * 86400, abs=60)

    def test_callback_writes_once_before_and_once_after_imin(self, rosie: Customer, calls: list[str], imin: Imin) -> None:
        _, state = rosie.get_link()
        rosie.connect("1")
        calls.clear()
        calls_before_imin: list[list[str]] = []
        respond = imin.respond

        def record_calls(request: Any) -> Any:
            calls_before_imin.append(list(calls))
            return respond(request)

        imin.respond = record_calls
        rosie.open_callback(state)
        assert calls_before_imin == [["UpdateItem", "GetItem"]]
        assert calls == ["UpdateItem", "GetItem", "UpdateItem"]


class TestInvalidStates:
    @pytest.mark.parametrize(
        "change", [lambda state: state[:-1], lambda state: f"x{state}", lambda _: "", lambda _: ".", lambda _: "a.b.c"]
    )
    def test_forged_state_is_400_without_a_redirect(self, rosie: Customer, imin: Imin, calls: list[str], change: Any) -> None:
        _, state = rosie.get_link()
        calls_before = len(imin.calls)
        calls.clear()
        response = rosie.open_callback(change(state))
        assert response.status == 400
        assert "location" not in response.headers
        assert b"href" not in response.body
        assert (len(imin.calls), calls) == (calls_before, [])

    def test_state_signed_with_another_key_is_400(self, rosie: Customer, environment: dict[str, str], secrets_manager: Any) -> None:
        _, state = rosie.get_link()
        for key in ("second-key", "third-key"):
            secrets_manager.put_secret_value(SecretId=environment["LINK_STATE_SECRET"], SecretString=key)
        assert rosie.open_callback(state).status == 400

    def test_expired_state_is_410_with_a_button_to_the_app(
        self, rosie: Customer, environment: dict[str, str], calls: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link_id, state = rosie.get_link()
        handler = link_callback.make_handler(environment)
        rosie.callbacks.handler = handler
        calls.clear()
        after_expiry = datetime.now(UTC).timestamp() + 86401
        monkeypatch.setattr("seller_accounts.links.link_state.LinkStates._now", lambda _: int(after_expiry))
        response = rosie.open_callback(state)
        assert response.status == 410
        assert "location" not in response.headers
        href = f"{REDIRECT_URI}&linkId={link_id}&status=expired".replace("&", "&amp;")
        assert f'<a href="{href}">Back to the app</a>' in response.body.decode()
        assert calls == []

    def test_expired_state_with_another_signature_has_no_button(self, rosie: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
        _, state = rosie.get_link()
        monkeypatch.setattr("seller_accounts.links.link_state.LinkStates._now", lambda _: 2**40)
        response = rosie.open_callback(f"{state[:-3]}{'AAA' if state[-3:] != 'AAA' else 'BBB'}")
        assert response.status == 400
        assert b"href" not in response.body

    def test_state_signed_with_the_previous_key_is_valid(
        self, rosie: Customer, environment: dict[str, str], secrets_manager: Any
    ) -> None:
        _, state = rosie.get_link()
        rosie.open_callback(state)
        secrets_manager.put_secret_value(SecretId=environment["LINK_STATE_SECRET"], SecretString="rotated")
        assert rosie.open_callback(state).status == 303
        rosie.accounts = Customer(environment, rosie.imin).accounts
        _, state = rosie.get_link()
        assert rosie.open_callback(state).status == 303, "signed with a key that this function must fetch first"


class TestFailures:
    def test_link_stays_received_while_imin_fails(self, rosie: Customer, imin: Imin) -> None:
        link_id, state = rosie.get_link()
        imin.respond_with({}, 500)

        response = rosie.open_callback(state)

        assert (response.status, parse_query(response)["status"]) == (303, "received")
        assert rosie.read_link(link_id)["status"] == "received"
        rosie.connect("1")
        assert rosie.read_link(link_id)["status"] == "confirmed"
        imin.respond_with({}, 500)
        assert rosie.read_link(link_id)["status"] == "confirmed"

    def test_callback_gives_imin_at_most_2_5_seconds(self, rosie: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
        upstream_deadline = imin_client.upstream_deadline
        limits: list[float] = []

        def record_limit(remaining_ms: int, max_seconds: float) -> float:
            limits.append(max_seconds)
            return upstream_deadline(0, max_seconds)

        monkeypatch.setattr(link_callback, "upstream_deadline", record_limit)
        _, state = rosie.get_link()
        assert parse_query(rosie.open_callback(state))["status"] == "received"
        assert limits == [2.5]

    @pytest.mark.parametrize("error", [UNAVAILABLE, ReadTimeoutError(endpoint_url="https://x")])
    def test_unstored_callback_is_503_with_a_try_again_button(
        self, rosie: Customer, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, output: Output
    ) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        with monkeypatch.context() as patch:
            patch.setattr(dynamodb, "update_item", _fail_with(error))
            response = rosie.open_callback(state, "a=b&c=d")
        assert (response.status, response.headers["retry-after"]) == (503, "2")
        assert "location" not in response.headers
        assert f'<a href="/v1/link-callbacks/{state}?a=b&amp;c=d">Try again</a>' in response.body.decode()
        assert '"CallbacksNotStored":[1.0]' in output.text()

        assert parse_query(rosie.open_callback(state, "a=b&c=d"))["status"] == "confirmed"
        assert rosie.read_link(link_id)["callbackCount"] == 1

    def test_damaged_record_is_503(self, rosie: Customer, dynamodb: Any, environment: dict[str, str]) -> None:
        _, state = rosie.get_link()
        rosie.open_callback(state)
        item = read_link_record(dynamodb)
        dynamodb.put_item(TableName=environment["LINKS_TABLE"], Item=item | {"issuedAt": {"S": "soon"}})
        assert rosie.open_callback(state).status == 503

    def test_record_changing_on_every_attempt_is_503(self, rosie: Customer, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        _, state = rosie.get_link()
        conflict = dynamodb.exceptions.ConditionalCheckFailedException({"Error": {"Code": "x"}, "Item": {}}, "UpdateItem")
        with monkeypatch.context() as patch:
            patch.setattr(dynamodb, "update_item", _fail_with(conflict))
            assert rosie.open_callback(state).status == 503
        assert rosie.open_callback(state).status == 303

    def test_unstored_outcome_leaves_the_link_received(
        self, rosie: Customer, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        update = dynamodb.update_item
        results = iter([update, _fail_with(UNAVAILABLE)])
        with monkeypatch.context() as patch:
            patch.setattr(dynamodb, "update_item", lambda **params: next(results)(**params))
            assert parse_query(rosie.open_callback(state))["status"] == "received"
        assert rosie.read_link(link_id)["status"] == "confirmed"

    def test_state_of_an_unavailable_rotated_key_is_503_each_time(
        self, rosie: Customer, environment: dict[str, str], secrets_manager: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rosie.open_callback(rosie.get_link()[1])
        secrets_manager.put_secret_value(SecretId=environment["LINK_STATE_SECRET"], SecretString="rotated")
        rosie.accounts = Customer(environment, rosie.imin).accounts
        _, state = rosie.get_link()
        with monkeypatch.context() as patch:
            patch.setattr(secrets_manager, "get_secret_value", _fail_with(UNAVAILABLE))
            responses = [rosie.open_callback(state) for _ in range(2)]
        assert [response.status for response in responses] == [503, 503]
        assert b"Try again" in responses[1].body

    def test_missing_signing_key_is_503(self, rosie: Customer, environment: dict[str, str], secrets_manager: Any) -> None:
        _, state = rosie.get_link()
        secrets_manager.delete_secret(SecretId=environment["LINK_STATE_SECRET"], ForceDeleteWithoutRecovery=True)
        response = rosie.open_callback(state)
        assert (response.status, response.headers["retry-after"]) == (503, "5")
        assert b"Try again" in response.body

    @pytest.mark.parametrize("sellers", [[], ["1"]])
    def test_record_erased_meanwhile_is_not_recreated(self, rosie: Customer, imin: Imin, sellers: list[str]) -> None:
        _, state = rosie.get_link()
        for seller in sellers:
            rosie.connect(seller)
        respond = imin.respond

        def erase(request: Any) -> Any:
            assert rosie.read("records-delete").status == 204
            return respond(request)

        imin.respond = erase
        assert parse_query(rosie.open_callback(state))["status"] == ("confirmed" if sellers else "not_confirmed")
        assert rosie.read().json == {"links": []}

    def test_event_of_another_service_gets_a_page(self, rosie: Customer) -> None:
        response = rosie.callbacks.send({"Records": []})
        assert (response.status, response.headers["content-type"]) == (400, "text/html; charset=utf-8")


def _fail_with(error: Exception) -> Any:
    def fail(**_: Any) -> None:
        raise error

    return fail


class TestPages:
    @pytest.fixture
    def pages(self, rosie: Customer, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> dict[int, Any]:
        """Return one page of each status."""
        _, state = rosie.get_link()
        pages = {303: rosie.open_callback(state), 400: rosie.open_callback("x")}
        with monkeypatch.context() as patch:
            patch.setattr(dynamodb, "update_item", _fail_with(UNAVAILABLE))
            pages[503] = rosie.open_callback(state, 'x="><script>alert(1)</script>')
        with monkeypatch.context() as patch:
            patch.setattr("seller_accounts.links.link_state.LinkStates._now", lambda _: 2**40)
            pages[410] = rosie.open_callback(state)
        return pages

    def test_pages_are_protected_from_caches_referrers_and_scripts(self, pages: dict[int, Any]) -> None:
        assert sorted(pages) == [303, 400, 410, 503]
        for status, response in pages.items():
            assert response.status == status
            assert response.headers["content-type"] == "text/html; charset=utf-8"
            assert response.headers["cache-control"] == "no-store"
            assert response.headers["referrer-policy"] == "no-referrer"
            policy = response.headers["content-security-policy"]
            assert policy.startswith("default-src 'none';")
            assert "script" not in policy
            assert "unsafe" not in policy
            assert b"<script" not in response.body

    def test_pages_have_a_title_a_language_and_one_heading(self, pages: dict[int, Any]) -> None:
        for response in pages.values():
            body = response.body.decode()
            assert re.search(r'<html lang="en">.*<title>[^<]+</title>.*<meta name="viewport"', body, re.DOTALL)
            assert body.count("<h1>") == 1


def test_nothing_secret_is_logged(rosie: Customer, output: Output, imin: Imin) -> None:
    _, state = rosie.get_link()
    rosie.open_callback(state, "secret=query")
    rosie.open_callback(f"{state}x")
    imin.respond_with({}, 500)
    rosie.open_callback(state)
    text = output.text()
    for secret in (state, "secret=query", STATE_KEY, "from=list"):
        assert secret not in text
    assert '"message":"link_not_settled"' in text
    assert '"LinksLeftReceived":[1.0]' in text


def test_event_with_an_invalid_state_is_rejected(rosie: Customer) -> None:
    rosie.callbacks.context = Context()
    assert rosie.callbacks.send(event("link-callback-get")).status == 400
