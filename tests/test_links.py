"""Reading, paging and erasing links, notices and records; and imin's webhook."""

import base64
import functools
import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from seller_accounts.aws import table
from seller_accounts.aws.table import Table
from seller_accounts.routes import links
from seller_accounts.settings import StoreSettings
from seller_accounts.uuid7 import uuid7
from tests.aws import read_link_record
from tests.conftest import WEBHOOK_KEY, App, Context, Imin, Output, event, recording_calls
from tests.linking import Customer

MEMBER = {"sub": "member"}
UNAVAILABLE = ClientError({"Error": {"Code": "InternalServerError"}}, "Query")


def _fail_with(error: Exception) -> Any:
    def fail(**_: Any) -> None:
        raise error

    return fail


class TestLists:
    def test_links_are_listed_newest_first(self, rosie: Customer) -> None:
        ids = []
        for _ in range(3):
            link_id, state = rosie.get_link()
            rosie.open_callback(state)
            ids.append(link_id)
        assert [link["id"] for link in rosie.read().json["links"]] == sorted(ids, reverse=True)
        assert rosie.read().headers["cache-control"] == "no-store"

    def test_link_has_all_its_fields(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        rosie.open_callback(state)
        (link,) = rosie.read().json["links"]
        assert set(link) == {
            "id",
            "status",
            "issuedAt",
            "expiresAt",
            "firstCallbackAt",
            "lastCallbackAt",
            "callbackCount",
            "sellers",
        }
        assert link == rosie.read_link(link_id)

    @pytest.mark.parametrize("collection", ["links", "notices"])
    def test_pages_have_no_gap_and_the_last_is_not_empty(self, rosie: Customer, collection: str) -> None:
        _add_records(rosie, collection, 6)
        all_ids = [item["id"] for item in rosie.read(f"{collection}-get").json[collection]]
        seen, query, pages = [], "limit=2", 0
        while True:
            body = rosie.read(f"{collection}-get", query=query).json
            seen += [item["id"] for item in body[collection]]
            pages += 1
            if "nextCursor" not in body:
                break
            query = f"limit=2&cursor={body['nextCursor']}"
        assert (seen, len(seen), pages) == (all_ids, 6, 3)

    @pytest.mark.parametrize(("query", "items", "has_more"), [("", 20, True), ("limit=1", 1, True), ("limit=100", 25, False)])
    def test_page_has_twenty_items_unless_limited_otherwise(self, rosie: Customer, query: str, items: int, has_more: bool) -> None:
        _add_records(rosie, "notices", 25)
        body = rosie.read("notices-get", query=query).json
        assert (len(body["notices"]), "nextCursor" in body) == (items, has_more)

    @pytest.mark.parametrize(
        "query",
        [
            *(f"limit={limit}" for limit in ("0", "101", "-1", "1.5", "ten", "", "%D9%A3", "0001")),
            *(f"cursor={cursor}" for cursor in ("", "x", "%00", "a" * 21, "a" * 23, "LINK%23x")),
            "limit=1&limit=1",
            "cursor=a&cursor=a",
        ],
    )
    def test_invalid_limit_or_cursor_is_400(self, rosie: Customer, query: str) -> None:
        response = rosie.read(query=query)
        assert (response.status, response.json["code"]) == (400, "invalid_request")

    def test_cursor_may_have_any_character_of_its_alphabet(self, rosie: Customer) -> None:
        assert rosie.read(query="cursor=-_v7-_v7-_v7-_v7-_v7-w").json == {"links": []}

    def test_cursor_with_extra_characters_is_400(self, rosie: Customer) -> None:
        _add_records(rosie, "notices", 2)
        cursor = rosie.read("notices-get", query="limit=1").json["nextCursor"]
        for malformed in (f"!{cursor}", f"{cursor[:5]}%20{cursor[5:]}", f"{cursor}%0A", f"{cursor}=!", f"%2B{cursor}"):
            assert rosie.read("notices-get", query=f"cursor={malformed}").status == 400, malformed

    def test_query_is_consistent_and_reads_one_extra_item(self, rosie: Customer, dynamodb: Any) -> None:
        options: list[tuple[Any, ...]] = []

        def record_options(_: str, params: dict[str, Any]) -> None:
            options.append((params.get("ConsistentRead"), params.get("Limit"), params.get("ProjectionExpression")))

        with recording_calls(dynamodb, record_options):
            rosie.read(query="limit=7")
            rosie.read("link-get")
            rosie.read("records-delete")
        assert options == [(True, 8, None), (True, None, None), (True, None, None), (True, 500, "pk, sk")]

    def test_cursor_reaches_only_own_records(self, rosie: Customer) -> None:
        _add_records(rosie, "notices", 2)
        cursor = rosie.read("notices-get", query="limit=1").json["nextCursor"]
        response = rosie.read("notices-get", MEMBER, f"cursor={cursor}", customerIdentifier="member")
        assert response.json == {"notices": []}
        assert uuid.UUID(bytes=base64.urlsafe_b64decode(cursor + "==")).version == 7


class TestRecords:
    """Large, expired and damaged records in the table."""

    @pytest.fixture
    def put(self, rosie: Customer, dynamodb: Any, environment: dict[str, str]) -> Any:
        """Return a function that stores a changed copy of a link's record and returns its id."""
        rosie.open_callback(rosie.get_link()[1])
        item = read_link_record(dynamodb)

        def put(changes: dict[str, Any], without: str = "", link_id: str | None = None) -> str:
            link_id = link_id or str(uuid7(time.time()))
            copy = {name: value for name, value in item.items() if name != without}
            dynamodb.put_item(TableName=environment["LINKS_TABLE"], Item=copy | {"sk": {"S": f"LINK#{link_id}"}} | changes)
            return link_id

        return put

    def test_large_records_fill_several_pages_of_dynamodb(self, rosie: Customer, put: Any, calls: list[str]) -> None:
        query = {"M": {"at": {"S": "2026-01-01T00:00:00Z"}, "query": {"S": "x" * 2048}}}
        ids = [put({"callbacks": {"L": [query] * 20}}) for _ in range(40)]
        calls.clear()
        body = rosie.read(query="limit=100").json
        assert [link["id"] for link in body["links"]][:40] == sorted(ids, reverse=True)
        assert len(body["links"]) == 41
        assert calls.count("Query") > 1
        first = rosie.read(query="limit=30").json
        second = rosie.read(query=f"limit=30&cursor={first['nextCursor']}").json
        assert [link["id"] for link in first["links"] + second["links"]] == [link["id"] for link in body["links"]]
        assert "nextCursor" not in second

    def test_expired_record_is_hidden(self, rosie: Customer, put: Any) -> None:
        expired_id = put({"expiresAt": {"N": str(int(time.time()) - 1)}})
        assert expired_id not in [link["id"] for link in rosie.read().json["links"]]
        assert rosie.read("link-get", linkId=expired_id).json["code"] == "link_not_found"

    def test_expired_records_do_not_shorten_a_page(self, rosie: Customer, put: Any) -> None:
        put({})
        for _ in range(5):
            put({"expiresAt": {"N": "1"}})
        assert len(rosie.read(query="limit=2").json["links"]) == 2

    def test_expired_record_does_not_hide_the_next_page(self, rosie: Customer, put: Any) -> None:
        put({})
        put({"expiresAt": {"N": "1"}})
        page = rosie.read(query="limit=1").json
        assert len(rosie.read(query=f"limit=1&cursor={page['nextCursor']}").json["links"]) == 1

    @pytest.mark.parametrize(
        ("changes", "without"),
        [
            ({}, "sellers"),
            ({}, "status"),
            ({"issuedAt": {"S": "soon"}}, ""),
            ({"callbackCount": {"S": "x"}}, ""),
            ({"sellers": {"L": []}}, ""),
            ({"expiresAt": {"S": "soon"}}, ""),
        ],
    )
    def test_damaged_record_affects_only_itself(
        self, rosie: Customer, put: Any, output: Output, changes: dict[str, Any], without: str
    ) -> None:
        damaged_id = put(changes, without)
        valid_id = put({})
        assert rosie.read().json["links"][0]["id"] == valid_id
        assert rosie.read("link-get", linkId=damaged_id).json["code"] == "link_not_found"
        warnings = [line for line in output.lines() if line["message"] == "record_unreadable"]
        assert [line["record"] for line in warnings] == [f"LINK#{damaged_id}"] * 2
        assert all(line["errors"] for line in warnings)

    def test_record_without_a_uuid_affects_only_itself(self, rosie: Customer, put: Any) -> None:
        put({}, link_id="zzz")
        put({}, link_id="zz")
        assert len(rosie.read(query="limit=1").json["links"]) == 1


def test_table_client_times_out_before_the_function(dynamodb: Any) -> None:
    config = dynamodb.meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (1, 1, 2)


def _add_records(rosie: Customer, collection: str, number: int) -> None:
    if collection == "notices":
        for _ in range(number):
            assert rosie.notify().status == 204
    else:
        for _ in range(number):
            rosie.open_callback(rosie.get_link()[1])


class TestIssuedLink:
    """A link without a callback, for example because the browser was closed or lost its network."""

    def test_issued_link_is_stored_immediately(self, rosie: Customer, calls: list[str], imin: Imin) -> None:
        calls_before = len(imin.calls)
        link_id, _ = rosie.get_link()
        assert (calls, len(imin.calls) - calls_before) == (["PutItem"], 1)
        link = rosie.read_link(link_id)
        assert set(link) == {"id", "status", "issuedAt", "expiresAt", "callbackCount", "sellers"}
        assert (link["status"], link["callbackCount"], link["sellers"]) == ("issued", 0, [])

    def test_issued_link_expires_as_announced(self, rosie: Customer) -> None:
        link = rosie.accounts.get(query={"redirectUri": "brokerapp://linked"}).json["link"]
        assert rosie.read_link(link["id"])["expiresAt"] == link["expiresAt"]

    def test_issued_link_is_not_listed(self, rosie: Customer) -> None:
        rosie.get_link()
        assert rosie.read().json == {"links": []}

    def test_link_stays_issued_without_a_connection(self, rosie: Customer, calls: list[str]) -> None:
        link_id, _ = rosie.get_link()
        calls.clear()
        assert [rosie.read_link(link_id)["status"] for _ in range(2)] == ["issued", "issued"]
        assert set(calls) == {"GetItem"}

    def test_issued_link_is_confirmed_without_a_callback(self, rosie: Customer, calls: list[str], output: Output) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        calls.clear()
        link = rosie.read_link(link_id)
        assert (link["status"], link["callbackCount"], [seller["id"] for seller in link["sellers"]]) == ("confirmed", 0, ["1"])
        assert "firstCallbackAt" not in link
        assert [call for call in calls if call != "GetItem"] == ["UpdateItem"]
        assert rosie.read().json == {"links": [link]}
        assert '"LinksConfirmedWithoutCallback":[1.0]' in output.text()

        rosie.connect("2")
        rosie.open_callback(state)
        link = rosie.read_link(link_id)
        assert (link["status"], link["callbackCount"], len(link["sellers"])) == ("confirmed", 1, 2)

    def test_earlier_connection_does_not_confirm_an_issued_link(self, rosie: Customer) -> None:
        rosie.connect("1")
        link_id, _ = rosie.get_link()
        assert rosie.read_link(link_id)["status"] == "issued"

    def test_link_stays_issued_while_imin_is_down(self, rosie: Customer, imin: Imin) -> None:
        link_id, _ = rosie.get_link()
        imin.respond_with({}, 503)
        assert rosie.read_link(link_id)["status"] == "issued"

    def test_expired_issued_link_does_not_call_imin(
        self, rosie: Customer, imin: Imin, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link_id, _ = rosie.get_link()
        received_id, received = rosie.get_link()
        imin.respond_with({}, 503)
        rosie.open_callback(received)
        calls_before = len(imin.calls)
        for days, status in ((1, "issued"), (2, "link_not_found")):
            moment = time.time() + days * 86400 + 1
            monkeypatch.setattr(table, "Table", functools.partial(Table, clock=functools.partial(float, moment)))
            rosie.links = App(links.make_handler(environment))
            link = rosie.read_link(link_id)
            assert link.get("code", link["status"]) == status
            assert rosie.read_link(received_id)["status"] == "received"
        assert len(imin.calls) == calls_before

    def test_issued_link_of_another_customer_is_not_found(self, rosie: Customer) -> None:
        link_id, _ = rosie.get_link()
        assert rosie.read("link-get", MEMBER, customerIdentifier="member", linkId=link_id).json["code"] == "link_not_found"

    def test_erased_issued_link_makes_a_new_record_when_used(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        assert rosie.read("records-delete").status == 204
        assert rosie.read("link-get", linkId=link_id).json["code"] == "link_not_found"
        rosie.connect("1")
        rosie.open_callback(state)
        assert rosie.read_link(link_id)["status"] == "confirmed"

    def test_concurrent_callback_of_an_issued_link_loses_nothing(self, rosie: Customer, imin: Imin) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        respond = imin.respond

        def open_callback_meanwhile(request: Any) -> Any:
            imin.respond = respond
            assert rosie.open_callback(state).status == 303
            return respond(request)

        imin.respond = open_callback_meanwhile
        link = rosie.read_link(link_id)
        assert (link["status"], link["callbackCount"], len(link["sellers"])) == ("confirmed", 1, 1)

    def test_link_that_is_not_stored_is_still_returned(
        self, rosie: Customer, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, output: Output
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(dynamodb, "put_item", _fail_with(UNAVAILABLE))
            link_id, _ = rosie.get_link()
        text = output.text()
        assert '"LinksNotStored":[1.0]' in text
        assert '"message":"link_not_stored"' in text
        assert "LinksIssued" not in text
        assert rosie.read("link-get", linkId=link_id).json["code"] == "link_not_found"

    def test_digests_of_many_connected_sellers_are_stored(self, rosie: Customer, imin: Imin) -> None:
        items = [{"seller": {"@id": f"seller-{n}"}, "accessPass": {"text": "1"}} for n in range(2000)]
        imin.respond_with({"imin:item": items})
        link_id, state = rosie.get_link()
        assert len(state) < 400
        assert rosie.read_link(link_id)["status"] == "issued"
        imin.respond_with({"imin:item": [*items, {"seller": {"@id": "new"}, "accessPass": {"text": "1"}}]})
        assert [seller["id"] for seller in rosie.read_link(link_id)["sellers"]] == ["new"]


class TestSingleLink:
    def test_reading_a_confirmed_link_is_one_read(self, rosie: Customer, calls: list[str]) -> None:
        link_id, state = rosie.get_link()
        rosie.connect("1")
        rosie.open_callback(state)
        calls.clear()
        assert rosie.read_link(link_id)["status"] == "confirmed"
        assert calls == ["GetItem"]

    @pytest.mark.parametrize("link_id", ["x", "", "..", "0198c7a4-5b00-7000-8000-00000000000g", "LINK#1"])
    def test_malformed_link_id_is_not_found(self, rosie: Customer, link_id: str) -> None:
        assert rosie.read("link-get", linkId=link_id).json["code"] == "link_not_found"

    def test_sample_events_are_served_without_records(self, rosie: Customer) -> None:
        assert rosie.links.send(event("link-get")).json["code"] == "link_not_found"
        assert rosie.links.send(event("links-get")).json == {"links": []}
        assert rosie.links.send(event("notices-get")).json == {"notices": []}
        assert rosie.links.send(event("records-delete")).status == 204
        assert rosie.webhook.send(event("webhook-post")).status == 401

    def test_link_of_another_customer_is_not_found(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        rosie.open_callback(state)
        assert rosie.read("link-get", MEMBER, customerIdentifier="member", linkId=link_id).json["code"] == "link_not_found"
        assert rosie.read("link-get", MEMBER, linkId=link_id).json["code"] == "forbidden"

    def test_link_erased_while_settling_is_still_returned(self, rosie: Customer, imin: Imin) -> None:
        link_id, state = rosie.get_link()
        imin.respond_with({}, 503)
        rosie.open_callback(state)
        rosie.connect("1")
        respond = imin.respond

        def erase(request: Any) -> Any:
            assert rosie.read("records-delete").status == 204
            return respond(request)

        imin.respond = erase
        link = rosie.read_link(link_id)
        assert (link["status"], [seller["id"] for seller in link["sellers"]]) == ("confirmed", ["1"])
        assert rosie.read().json == {"links": []}

    def test_received_link_is_200_while_imin_is_down(self, rosie: Customer, imin: Imin) -> None:
        link_id, state = rosie.get_link()
        imin.respond_with({}, 503)
        rosie.open_callback(state)
        response = rosie.read("link-get", linkId=link_id)
        assert (response.status, response.json["status"]) == (200, "received")


class TestWebhook:
    def test_notice_after_a_byte_order_mark_is_stored(self, rosie: Customer) -> None:
        assert rosie.notify('\ufeff{"identifier": "rosie"}').status == 204
        assert len(rosie.read("notices-get").json["notices"]) == 1

    def test_notice_is_stored_for_its_customer(self, rosie: Customer, calls: list[str]) -> None:
        response = rosie.notify()
        assert (response.status, response.body) == (204, b"")
        assert calls == ["PutItem"]
        (notice,) = rosie.read("notices-get").json["notices"]
        assert set(notice) == {"id", "receivedAt", "type"}
        assert notice["type"] == "CustomerAccount"

    def test_notice_is_logged_and_counted(self, rosie: Customer, output: Output) -> None:
        rosie.notify()
        (line,) = output.lines()
        assert (line["customer_identifier"], line["NoticesStored"]) == ("rosie", [1.0])

    def test_repeated_post_is_another_notice(self, rosie: Customer) -> None:
        rosie.notify()
        rosie.notify()
        assert len(rosie.read("notices-get").json["notices"]) == 2

    @pytest.mark.parametrize(
        ("body", "notice_type"),
        [
            ({"identifier": "rosie", "type": "Other"}, "Other"),
            ({"identifier": "rosie"}, None),
            ({"identifier": "rosie", "@type": ["a"]}, None),
            ({"identifier": "rosie", "@type": "x" * 1000}, "x" * 256),
        ],
    )
    def test_notice_type_comes_from_the_body(self, rosie: Customer, body: Any, notice_type: str | None) -> None:
        assert rosie.notify(body).status == 204
        assert rosie.read("notices-get").json["notices"][0].get("type") == notice_type

    @pytest.mark.parametrize("key", ["", "wrong", WEBHOOK_KEY[:-1], f"{WEBHOOK_KEY}x", "é"])
    def test_wrong_webhook_key_is_401_for_any_body(self, rosie: Customer, calls: list[str], key: str) -> None:
        for body in ("{}", "x" * 70_000):
            response = rosie.notify(body, key)
            assert (response.status, response.json["code"]) == (401, "unauthenticated")
            assert response.headers["www-authenticate"] == "ApiKey", "a 401 has a challenge (RFC 9110 15.5.2)"
        assert calls == []

    def test_previous_and_rotated_webhook_key_are_accepted(
        self, rosie: Customer, secrets_manager: Any, environment: dict[str, str]
    ) -> None:
        assert rosie.notify().status == 204
        secrets_manager.put_secret_value(SecretId=environment["IMIN_WEBHOOK_SECRET"], SecretString="rotated")
        assert rosie.notify(key="rotated").status == 204
        assert rosie.notify().status == 204

    @pytest.mark.parametrize("size", [65_536, 65_537])
    @pytest.mark.parametrize("is_base64", [False, True])
    def test_notice_may_have_64_kib(self, rosie: Customer, size: int, is_base64: bool) -> None:
        body = '{"identifier": "rosie"}'.ljust(size)
        encoded = base64.b64encode(body.encode()).decode() if is_base64 else body
        assert rosie.notify(encoded, isBase64Encoded=is_base64).status == (204 if size == 65_536 else 413)

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "rubbish",
            "[]",
            "{}",
            "null",
            '{"identifier": null}',
            '{"identifier": 5}',
            '{"identifier": "a b"}',
            '{"identifier": ".."}',
            "[" * 60_000,
        ],
    )
    def test_notice_without_a_customer_is_400(self, rosie: Customer, body: str, calls: list[str]) -> None:
        response = rosie.notify(body)
        assert (response.status, response.json["code"]) == (400, "invalid_request")
        assert calls == []

    def test_null_in_an_event_is_treated_as_empty(self, rosie: Customer) -> None:
        payload = event("webhook-post") | {"body": None, "rawQueryString": None, "isBase64Encoded": None, "pathParameters": None}
        payload["headers"]["x-api-key"] = WEBHOOK_KEY
        assert rosie.webhook.send(payload).json["code"] == "invalid_request"
        assert rosie.webhook.send(payload | {"headers": None}).json["code"] == "unauthenticated"

    def test_invalid_base64_body_is_400(self, rosie: Customer) -> None:
        assert rosie.notify("%%%", isBase64Encoded=True).json["code"] == "invalid_request"

    def test_unstored_notice_is_503_so_that_imin_repeats_it(
        self, rosie: Customer, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, output: Output
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(dynamodb, "put_item", _fail_with(UNAVAILABLE))
            response = rosie.notify()
        assert (response.status, response.json["code"]) == (503, "storage_unavailable")
        assert '"NoticesNotStored":[1.0]' in output.text()


class TestErasure:
    def test_erasure_removes_all_own_records_and_no_others(self, rosie: Customer) -> None:
        _add_records(rosie, "links", 2)
        _add_records(rosie, "notices", 2)
        rosie.notify({"identifier": "member"})

        assert [rosie.read("records-delete").status for _ in range(2)] == [204, 204]

        assert rosie.read().json == {"links": []}
        assert rosie.read("notices-get").json == {"notices": []}
        assert len(rosie.read("notices-get", MEMBER, customerIdentifier="member").json["notices"]) == 1

    def test_valid_link_makes_a_new_record_after_erasure(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        rosie.open_callback(state)
        rosie.read("records-delete")
        rosie.open_callback(state)
        assert rosie.read_link(link_id)["callbackCount"] == 1

    def test_erasure_removes_any_number_of_records(
        self, rosie: Customer, dynamodb: Any, environment: dict[str, str], calls: list[str]
    ) -> None:
        for start in range(0, 1300, 25):
            _put_records(dynamodb, environment, range(start, start + 25))
        calls.clear()
        assert rosie.read("records-delete").status == 204
        assert (calls.count("BatchWriteItem"), calls.count("Query")) == (1300 // 25, 4)
        assert dynamodb.scan(TableName=environment["LINKS_TABLE"])["Count"] == 0

    def test_unprocessed_deletes_are_repeated(
        self, rosie: Customer, dynamodb: Any, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _put_records(dynamodb, environment, range(3))
        delete = dynamodb.batch_write_item
        batch_sizes: list[float] = []
        monkeypatch.setattr(table, "PAUSE_SECONDS", 0)

        def process_one_delete(RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803 - botocore's name
            ((name, requests),) = RequestItems.items()
            batch_sizes.append(len(requests))
            delete(RequestItems={name: requests[:1]})
            return {"UnprocessedItems": {name: requests[1:]} if requests[1:] else {}}

        monkeypatch.setattr(dynamodb, "batch_write_item", process_one_delete)
        assert rosie.read("records-delete").status == 204
        assert batch_sizes == [3, 2, 1]

    def test_erasure_pauses_only_after_unprocessed_deletes(self) -> None:
        key = {"pk": {"S": "CUSTOMER#rosie"}, "sk": {"S": "NOTICE#1"}}
        pages, unprocessed = [[key], [key], []], [{"table": [key]}, {}]
        client: Any = SimpleNamespace(
            query=lambda **_: {"Items": pages.pop(0)}, batch_write_item=lambda **_: {"UnprocessedItems": unprocessed.pop(0)}
        )
        waits: list[float] = []
        table.Table(StoreSettings("table", 1), client, sleep=waits.append).erase("rosie", lambda: True)
        assert waits == [0.1]

    def test_erasure_without_time_left_is_503_and_can_be_repeated(
        self, rosie: Customer, dynamodb: Any, environment: dict[str, str]
    ) -> None:
        _put_records(dynamodb, environment, range(3))
        rosie.links.context = Context(remaining_ms=2_000)
        response = rosie.read("records-delete")
        assert (response.status, response.json["code"], response.json["retryable"]) == (503, "storage_unavailable", True)

    @pytest.mark.parametrize("operation", ["query", "get_item", "batch_write_item"])
    def test_storage_fault_during_erasure_is_503(
        self, rosie: Customer, dynamodb: Any, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, operation: str
    ) -> None:
        _put_records(dynamodb, environment, range(1))
        monkeypatch.setattr(dynamodb, operation, _fail_with(ConnectTimeoutError(endpoint_url="https://x")))
        name = {"query": "links-get", "get_item": "link-get", "batch_write_item": "records-delete"}[operation]
        response = rosie.read(name)
        assert (response.status, response.json["code"], response.headers["retry-after"]) == (503, "storage_unavailable", "2")


def _put_records(dynamodb: Any, environment: dict[str, str], numbers: range) -> None:
    """Write records of rosie directly to the table."""
    puts = [{"PutRequest": {"Item": {"pk": {"S": "CUSTOMER#rosie"}, "sk": {"S": f"NOTICE#{number}"}}}} for number in numbers]
    dynamodb.batch_write_item(RequestItems={environment["LINKS_TABLE"]: puts})
