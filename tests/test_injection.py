"""Injection through external input into redirects, headers, log lines, pages and records, and limits to its size."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seller_accounts.settings import RedirectSettings
from tests.conftest import App, Imin, Output
from tests.linking import Customer, parse_query

ALLOWED = ["brokerapp://linked", "https://app.example.com/linked", "com.example.app:/linked", "http://127.0.0.1:3000/"]
REDIRECTS = RedirectSettings(frozenset(ALLOWED), None)
CONTROLS = ["\r\n", "\n", "\r", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "é", "\U0001f600"]
EVIL = "evil.example.com"


class TestOpenRedirect:
    @pytest.mark.parametrize(
        "trick",
        [
            f"//{EVIL}",
            f"https://{EVIL}",
            f"https:{EVIL}",
            f"https:/{EVIL}",
            f"\\\\{EVIL}",
            f"/\\{EVIL}",
            f"https://{EVIL}/https://app.example.com/linked",
            f"https://app.example.com@{EVIL}/linked",
            f"https://app.example.com:443@{EVIL}/linked",
            f"https://app.example.com%40{EVIL}/linked",
            f"https://app.example.com.{EVIL}/linked",
            f"https://{EVIL}#@app.example.com/linked",
            f"https://{EVIL}\\@app.example.com/linked",
            f"https://{EVIL}?https://app.example.com/linked",
            f"https://{EVIL};app.example.com/linked",
            "https://app.example.com:8443/linked",
            "https://app.example.com:443/linked",
            "https://app.example.com./linked",
            "https://user@app.example.com/linked",
            "https://sub.app.example.com/linked",
            "https://app-example.com/linked",
            "https://аpp.example.com/linked",  # noqa: RUF001 - the first letter is Cyrillic
            "https://app.example.com/linked/",
            "https://app.example.com//linked",
            "https://app.example.com/LINKED",
            "https://app.example.com/linked/../evil",
            "https://app.example.com/%6cinked",
            "https://app.example.com/linked%2f..%2fevil",
            "https://app.example.com/linked;jsessionid=1",
            "https://app.example.com/linked#",
            "https://app.example.com/linked?a#b",
            "https://app.example.com/linked\t",
            "https://app.example.com/\tlinked",
            "https://app.example.com",
            "http://app.example.com/linked",
            "HTTPS://APP.EXAMPLE.COM/linked",
            "javascript:alert(1)//brokerapp://linked",
            "javascript://app.example.com/linked?%0aalert(1)",
            "data:text/html,brokerapp://linked",
            "intent://linked#Intent;scheme=brokerapp;end",
            "brokerapp://linked@evil",
            "brokerapp://linked.evil",
            "brokerapp://linked/evil",
            "brokerapp:///linked",
            "brokerapp:linked",
            "BROKERAPP://linked",
            "brokerapp2://linked",
            "x-brokerapp://linked",
            "http://127.0.0.1:3001/",
            "http://127.0.0.1:3000@evil.example.com/",
            "http://localhost:3000/",
            "http://[::ffff:127.0.0.1]:3000/",
            "http://2130706433:3000/",
            "*",
            "null",
            "brokerapp://linked,https://app.example.com/linked",
        ],
    )
    def test_similar_redirect_uri_is_rejected(self, trick: str) -> None:
        assert not REDIRECTS.allows(trick)
        for padded in (f" {trick}", f"{trick} ", f"\t{trick}", f"{trick}?"):
            assert not REDIRECTS.allows(padded)

    @pytest.mark.parametrize("control", [*CONTROLS, " ", "<", ">", '"', "\\", "^", "`", "{", "|", "}", "#", "%", "%0", "%zz"])
    def test_redirect_uri_with_other_than_uri_characters_is_400(self, control: str) -> None:
        assert not any(REDIRECTS.allows(f"{uri}?a={control}") for uri in ALLOWED)
        assert not any(REDIRECTS.allows(f"{uri}{control}?a=b") for uri in ALLOWED)


class TestLog:
    def test_log_entry_is_always_one_line_of_json(self, rosie: Customer, imin: Imin, output: Output) -> None:
        for control in CONTROLS:
            hostile = f'{control}{{"level":"ERROR","message":"forged"}}'
            imin.respond_with({"imin:item": [{"seller": {"@id": hostile}, hostile: hostile}, hostile]})
            rosie.accounts.get(hostile)
            rosie.accounts.get(query={"sellerId": hostile, hostile: "x"}, user_agent=hostile)
            rosie.open_callback(hostile, hostile)
            rosie.read("link-get", linkId=hostile)
            rosie.notify({"identifier": hostile})
            rosie.notify({"identifier": "rosie", "@type": hostile})
        text = output.text()
        lines = [json.loads(line) for line in text.split("\n") if line]
        assert len(lines) == 6 * len(CONTROLS)
        assert "forged" not in text
        assert text.isascii()


class TestPages:
    def test_callback_input_is_never_markup(self, rosie: Customer, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        _, state = rosie.get_link("brokerapp://linked?a='onmouseover=alert(1)&b=%3Cscript%3E")
        hostile = "\"'><script>alert(1)</script><a href=javascript:alert(1) x='"
        pages = [rosie.open_callback(state, hostile), rosie.open_callback(f"{hostile}.{state}", hostile)]
        monkeypatch.setattr(dynamodb, "update_item", dynamodb.batch_write_item)
        pages.append(rosie.open_callback(state, hostile))
        for page in pages:
            tags = re.findall(r"<[^>]*>", page.body.decode())
            assert all(
                re.fullmatch(
                    r'</?(!doctype html|html lang="en"|html|head|meta [^<>]*|title|style|body|main|h1|p|a)>|'
                    r'<a href="[^"<>\']*">',
                    tag,
                )
                for tag in tags
            ), tags


class TestRecords:
    def test_identifier_cannot_name_another_key(self, rosie: Customer, calls: list[str]) -> None:
        for hostile in ("rosie#LINK", "CUSTOMER#rosie", "rosie\0", "*", "rosie/..", "..", "rosie\n", "é", " ", "a" * 129):
            assert rosie.notify({"identifier": hostile}).status == 400, hostile
        assert calls == []

    def test_callback_query_is_stored_as_a_value(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        rosie.open_callback(state, "a=:confirmed, #status = :confirmed REMOVE sellers&$ne=1&{{7*7}}")
        assert rosie.read_link(link_id)["status"] == "not_confirmed"

    def test_seller_id_is_stored_as_a_value(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        hostile = ["#s0", ":s0", "sellers.x", "a.b[0]", "REMOVE status", "é\u2028", "x" * 5000]
        for seller in hostile:
            rosie.connect(seller)
        _list_sellers(rosie, hostile)
        rosie.open_callback(state)
        assert {seller["id"] for seller in rosie.read_link(link_id)["sellers"]} == {seller[:1024] for seller in hostile}


def _list_sellers(rosie: Customer, sellers: list[str]) -> None:
    items = [{"seller": {"@id": seller}, "dateLinked": rosie.connected[seller]} for seller in sellers]
    rosie.imin.respond_with({"imin:item": items})


class TestSize:
    @pytest.mark.parametrize("opening", ["[", '{"a":', '{"identifier":', '{"@type":'])
    def test_deeply_nested_notice_is_204_or_400(self, rosie: Customer, opening: str) -> None:
        assert rosie.notify(opening * (60_000 // len(opening))).status == 400
        assert rosie.notify(f'{{"identifier": "rosie", "x": {"[" * 500}{"]" * 500}}}').status == 204
        deep = f'{{"identifier": "rosie", "x": {"[" * 20_000}{"]" * 20_000}}}'
        assert rosie.notify(deep).status in {204, 400}

    def test_last_of_repeated_identifiers_in_a_notice_counts(self, rosie: Customer) -> None:
        assert rosie.notify('{"identifier": "member", "identifier": "rosie"}').status == 204
        assert len(rosie.read("notices-get").json["notices"]) == 1

    def test_huge_query_and_headers_are_handled(self, app: App) -> None:
        query = [(f"p{number}", "x" * 10) for number in range(20_000)]
        response = app.get(query=query, accept=",".join(["a/b;q=0.1"] * 5_000), if_none_match=",".join(['"x"'] * 5_000))
        assert response.status == 200


def test_redirect_goes_only_to_the_uri_in_the_state(rosie: Customer) -> None:
    _, state = rosie.get_link()
    response = rosie.open_callback(state, f"redirectUri=https://{EVIL}&redirect_uri=https://{EVIL}&url=//{EVIL}&status=confirmed")
    assert response.headers["location"].startswith("brokerapp://linked?from=list&linkId=")
    assert parse_query(response)["status"] == "not_confirmed"


@given(st.text(max_size=60), st.sampled_from(ALLOWED))
def test_accepted_redirect_uris_have_an_allowed_base(text: str, uri: str) -> None:
    for candidate in (text, uri + text, text + uri):
        assert not REDIRECTS.allows(candidate) or candidate.partition("?")[0] in ALLOWED


def test_redirect_uri_may_have_2048_characters() -> None:
    longest = "brokerapp://linked?".ljust(2048, "a")
    assert (REDIRECTS.allows(longest), REDIRECTS.allows(f"{longest}a")) == (True, False)


def test_neither_host_nor_forwarding_headers_move_the_callback(rosie: Customer, imin: Imin) -> None:
    headers = dict.fromkeys(("host", "x_forwarded_host", "x_original_host", "forwarded", "origin", "referer"), EVIL)
    rosie.accounts.get(query={"redirectUri": "brokerapp://linked"}, **headers)
    assert imin.calls[-1].params["redirectUri"].startswith("https://abc123.execute-api.eu-west-2.amazonaws.com/v1/link-callbacks/")


def test_app_gets_link_id_and_status_exactly_once(rosie: Customer) -> None:
    link_id, state = rosie.get_link("brokerapp://linked?status=confirmed&a=%20b&linkId=mine&stat%75s=confirmed&&c")
    location = rosie.open_callback(state).headers["location"]
    assert location == f"brokerapp://linked?a=%20b&&c&linkId={link_id}&status=not_confirmed"


def test_query_of_only_link_id_and_status_is_replaced(rosie: Customer) -> None:
    link_id, state = rosie.get_link("brokerapp://linked?status=confirmed")
    assert rosie.open_callback(state).headers["location"] == f"brokerapp://linked?linkId={link_id}&status=not_confirmed"


@settings(max_examples=settings().max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40), control=st.sampled_from(CONTROLS))
def test_response_headers_contain_no_injected_line(rosie: Customer, imin: Imin, text: str, control: str) -> None:
    hostile = f"{text}{control}X-Evil: 1"
    imin.respond_with({"imin:item": [{"seller": {"@id": hostile, "name": hostile}}], "imin:entitlementFilter": hostile})
    query = {"sellerId": hostile, hostile: hostile}
    responses = [rosie.accounts.get(query=query, accept=hostile, if_none_match=hostile, accept_encoding=hostile)]
    imin.respond_with({}, 503, Retry_After=hostile.encode("ascii", "replace").decode().replace("\r", "").replace("\n", ""))
    responses.append(rosie.accounts.get(query={"redirectUri": hostile}))
    responses.append(rosie.accounts.get(hostile))
    responses.append(rosie.open_callback(hostile, hostile))
    responses.append(rosie.read(query=urlencode({"cursor": hostile, "limit": hostile})))
    responses.append(rosie.notify({"identifier": hostile, "@type": hostile}))
    responses.append(rosie.notify({"identifier": "rosie", "@type": hostile}))
    for response in responses:
        assert all(re.fullmatch(r"[\x20-\x7e]*", value) for value in response.headers.values())
        assert response.status != 500
