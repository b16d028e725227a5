"""Tolerant parsing of imin responses: known deviations from the documented schema, and arbitrary ones."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seller_accounts.http.problems import Problem
from seller_accounts.imin.reshape import reshape

SELLER = {"@id": "https://id.example.com/1", "name": "Acme"}
SELLER_SHAPE = {"id": "https://id.example.com/1", "name": "Acme"}
EMPTY_VALUES: list[Any] = [None, "", [], {}]


def read_items(*items: Any) -> tuple[list[Any], list[Any]]:
    """Return the accounts and warnings of a response with `items`, as the app's JSON."""
    reshaped = reshape(json.dumps({"imin:item": items}).encode())
    return msgspec.to_builtins(reshaped.accounts), msgspec.to_builtins(reshaped.warnings)


def read_account(**members: Any) -> Any:
    """Return the only account of a response whose item has `members`; no warning is allowed."""
    (account,), warnings = read_items({"seller": SELLER} | members)
    assert warnings == []
    return account


def read_connected_account(**members: Any) -> Any:
    """Return the only account of a response with a connected item; no warning is allowed."""
    return read_account(dateLinked="2021-01-27T12:00:00Z", **members)


class TestStatus:
    def test_account_without_email_match_is_not_connected(self) -> None:
        account = read_account(**{"imin:matchingEmailExists": False})
        assert account == {
            "status": "not_connected",
            "seller": {"id": "https://id.example.com/1", "name": "Acme", "links": []},
            "emailMatches": False,
        }

    def test_account_with_email_match_is_not_connected(self) -> None:
        assert read_account(**{"imin:matchingEmailExists": True})["emailMatches"] is True

    @pytest.mark.parametrize("matches", [{}, {"imin:matchingEmailExists": False}, {"imin:matchingEmailExists": True}])
    @pytest.mark.parametrize(("action_type", "suggested"), [("RegisterAction", "existing"), ("CreateAction", "new")])
    def test_single_connect_url_is_always_suggested(self, matches: Any, action_type: str, suggested: str) -> None:
        account = read_account(potentialAction={"@type": action_type, "target": "https://imin.example.com/?jwt=1"}, **matches)
        assert account["connect"]["suggested"] == suggested

    def test_actions_alone_mean_not_connected(self) -> None:
        action = {"@type": "CreateAction", "target": "https://imin.example.com/?jwt=1"}
        account = read_account(potentialAction=action)
        assert account["status"] == "not_connected"
        assert account["connect"] == {"suggested": "new", "newAccountUrl": "https://imin.example.com/?jwt=1"}
        assert "emailMatches" not in account

    @pytest.mark.parametrize(
        "members",
        [
            {"dateLinked": "2021-01-27T12:00:00Z"},
            {"hiddenEntitlements": False},
            {"hasHiddenEntitlements": "true"},
            {"customer": {"email": "rosie@example.com"}},
            {"accessPass": {"text": "1"}},
            {"imin:entitlementUpdateErrors": [{"@type": "EntitlementConflict"}]},
            {"imin:evidenceRequests": [{"@id": "x"}]},
        ],
    )
    def test_any_field_of_a_connected_account_means_connected(self, members: dict[str, Any]) -> None:
        account = read_account(**members)
        assert account["status"] == "connected"
        assert {"accessPasses", "entitlementErrors", "evidenceRequests"} <= set(account)

    @pytest.mark.parametrize("members", [{}, {"customer": None, "accessPass": [], "dateLinked": "", "potentialAction": []}])
    def test_account_without_a_case_is_unknown(self, members: dict[str, Any]) -> None:
        assert read_account(**members) == {"status": "unknown", "seller": {**_seller(), "links": []}}

    def test_date_linked_outweighs_signs_of_no_connection(self) -> None:
        assert read_connected_account(**{"imin:matchingEmailExists": True})["status"] == "connected"


def _seller() -> dict[str, str]:
    return {"id": "https://id.example.com/1", "name": "Acme"}


class TestSchemaDeviations:
    @pytest.mark.parametrize("empty", EMPTY_VALUES)
    def test_null_empty_and_absent_values_are_equal_everywhere(self, empty: Any) -> None:
        full = {
            "seller": dict.fromkeys(["@id", "id", "name", "url", "logo", "email", "telephone", "sameAs"], empty),
            "imin:matchingEmailExists": empty,
            "potentialAction": empty,
            "dateLinked": "2021-01-27T12:00:00Z",
            "hiddenEntitlements": empty,
            "customer": {"email": empty, "dateModified": empty},
            "accessPass": {"text": empty, "url": empty, "dateModified": empty},
            "imin:entitlementUpdateErrors": [{"@type": empty, "name": empty, "description": empty}, empty],
            "imin:evidenceRequests": {"@id": empty, "expires": empty, "evidenceRequest": empty, "entitlementType": empty},
        }
        accounts, warnings = read_items(full)
        assert warnings == []
        assert accounts == [
            {
                "status": "connected",
                "seller": {"links": []},
                "connectedAt": accounts[0]["connectedAt"],
                "accessPasses": [],
                "entitlementErrors": [],
                "evidenceRequests": [],
            }
        ]

    def test_unknown_properties_and_contexts_are_ignored(self) -> None:
        assert read_account(**{"@context": 5, "imin:new": {"a": [1]}, "@type": "Something"})["status"] == "unknown"

    def test_id_and_type_are_read_with_or_without_at(self) -> None:
        account = read_connected_account(
            seller={"id": "plain"},
            **{
                "imin:entitlementUpdateErrors": {"type": "EntitlementConflict"},
                "imin:evidenceRequests": {"id": "e", "entitlementType": {"id": "t"}},
            },
        )
        assert account["seller"]["id"] == "plain"
        assert account["entitlementErrors"] == [{"type": "EntitlementConflict"}]
        assert account["evidenceRequests"] == [{"entitlementId": "e", "entitlementTypeId": "t", "status": "unknown"}]
        assert (
            read_account(potentialAction={"type": "RegisterAction", "target": "https://a"})["connect"]["existingAccountUrl"]
            == "https://a"
        )

    @pytest.mark.parametrize(
        ("member", "value", "select"),
        [
            ("accessPass", {"text": "0012"}, lambda account: account["accessPasses"]),
            ("imin:entitlementUpdateErrors", {"name": "n"}, lambda account: account["entitlementErrors"]),
            ("imin:evidenceRequests", {"@id": "e"}, lambda account: account["evidenceRequests"]),
            ("seller", {"sameAs": "https://a"}, lambda account: account["seller"]["links"]),
        ],
    )
    def test_one_value_or_a_list_reads_the_same(self, member: str, value: Any, select: Any) -> None:
        listed = {"sameAs": [value["sameAs"]]} if member == "seller" else [value]
        assert select(read_connected_account(**{member: value})) == select(read_connected_account(**{member: listed})) != []

    def test_single_account_instead_of_a_list_is_read(self) -> None:
        reshaped = reshape(json.dumps({"imin:item": {"seller": SELLER}, "imin:entitlementFilter": "f"}).encode())
        assert (len(reshaped.accounts), reshaped.entitlement_filter, reshaped.warnings) == (1, "f", [])

    @pytest.mark.parametrize("name", ["hiddenEntitlements", "hasHiddenEntitlements"])
    @pytest.mark.parametrize(("value", "flag"), [(True, True), ("true", True), (False, False), ("false", False)])
    def test_hidden_entitlements_are_read_by_both_names(self, name: str, value: Any, flag: bool) -> None:
        assert read_connected_account(**{name: value})["hiddenEntitlements"] is flag

    @pytest.mark.parametrize("name", ["expires", "validUntil"])
    @pytest.mark.parametrize("action", ["evidenceRequest", "evidenceRequestAction"])
    def test_evidence_requests_are_read_by_all_names(self, name: str, action: str) -> None:
        request = {name: "2021-05-10T10:45:33+00:00", action: {"expiry": "2021-07-10T10:45:33Z", "url": "https://u"}}
        (evidence,) = json.loads(msgspec.json.encode(read_connected_account(**{"imin:evidenceRequests": request})))[
            "evidenceRequests"
        ]
        assert evidence == {
            "expiresAt": "2021-05-10T10:45:33Z",
            "uploadUrl": "https://u",
            "uploadExpiresAt": "2021-07-10T10:45:33Z",
            "status": "unknown",
        }

    @pytest.mark.parametrize(
        ("action_status", "status"),
        [
            ("https://schema.org/PotentialActionStatus", "potential"),
            ("https://schema.org/ActiveActionStatus", "active"),
            ("http://schema.org/CompletedActionStatus", "completed"),
            ("FailedActionStatus", "failed"),
            ("https://schema.org/Surprise", "unknown"),
            ("", "unknown"),
        ],
    )
    def test_evidence_request_has_the_status_of_its_action(self, action_status: str, status: str) -> None:
        request = {"@id": "e", "evidenceRequest": {"actionStatus": action_status}}
        assert read_connected_account(**{"imin:evidenceRequests": request})["evidenceRequests"][0]["status"] == status

    def test_barcode_keeps_its_leading_zeros_and_image(self) -> None:
        barcode = {"text": "0012", "url": "https://i"}
        assert read_connected_account(accessPass=barcode)["accessPasses"] == [{"text": "0012", "imageUrl": "https://i"}]

    @pytest.mark.parametrize(
        ("moment", "utc"),
        [
            ("2021-05-10T10:45:33Z", "2021-05-10T10:45:33Z"),
            ("2021-05-10T10:45:33.999Z", "2021-05-10T10:45:33Z"),
            ("2021-05-10T10:45:33+02:00", "2021-05-10T08:45:33Z"),
            ("2021-05-10T10:45:33", "2021-05-10T10:45:33Z"),
            ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"),
        ],
    )
    def test_times_are_utc_in_whole_seconds(self, moment: str, utc: str) -> None:
        account = json.loads(msgspec.json.encode(read_account(dateLinked=moment)))
        assert account["connectedAt"] == utc

    def test_connect_without_a_url_is_left_out(self) -> None:
        assert "connect" not in read_account(
            potentialAction=[{"@type": "RegisterAction"}, {"@type": "OtherAction", "target": "https://a"}]
        )

    def test_byte_order_mark_is_ignored(self) -> None:
        assert reshape(b'\xef\xbb\xbf{"imin:item": []}').accounts == []


JWT_URL = "https://book.imin.co/auth/connect-account?jwt=1"
REGISTER = {"@type": "RegisterAction", "target": JWT_URL}
CREATE = {"@type": "CreateAction", "target": JWT_URL}
DANGEROUS = [
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "data:text/html,x",
    "intent://x#Intent;end",
    "file:///etc/passwd",
    "ftp://files.example.com/a",
    "//example.com/a",
    "/a",
    "a.png",
    "https:",
    "https://",
    "https:///a",
    "https://:80/",
    "https://?a",
    "https://user@/a",
    "https:example.com",
    "https:\\\\example.com",
    "https://example.com\\@evil.example.com",
    "https://exam ple.com/",
    "https://example.com/\na",
    "java\tscript:alert(1)",
]


class TestStatusByPresence:
    @pytest.mark.parametrize("moment", ["soon", 5, {"@value": "soon"}, ["soon"], {"a": 1}, True])
    def test_unreadable_date_linked_means_connected_with_a_warning(self, moment: Any) -> None:
        (account,), warnings = read_items({"seller": SELLER, "dateLinked": moment, "imin:matchingEmailExists": False})
        assert (account["status"], "connectedAt" in account) == ("connected", False)
        assert [warning["code"] for warning in warnings] == ["unreadable_field"]

    @pytest.mark.parametrize(
        "filler",
        [
            {"hiddenEntitlements": False},
            {"hiddenEntitlements": "false", "customer": {}},
            {"customer": {}},
            {"customer": {"@type": "Person"}, "accessPass": [{}]},
            {"accessPass": [], "imin:entitlementUpdateErrors": [], "imin:evidenceRequests": [{}], "dateLinked": ""},
            {"dateLinked": {}},
        ],
    )
    @pytest.mark.parametrize("signs", [{"imin:matchingEmailExists": True}, {"potentialAction": [CREATE]}])
    def test_filler_does_not_make_an_account_connected(self, filler: dict[str, Any], signs: dict[str, Any]) -> None:
        account = read_account(**signs, **filler)
        assert account["status"] == "not_connected"
        assert ("connect" in account) == ("potentialAction" in signs)

    @pytest.mark.parametrize(
        "members",
        [
            {"customer": {}},
            {"customer": {"@type": "Person"}},
            {"accessPass": [{}]},
            {"imin:evidenceRequests": {"evidenceRequest": {}}},
            {"potentialAction": [{}]},
        ],
    )
    def test_empty_objects_alone_mean_unknown(self, members: dict[str, Any]) -> None:
        assert read_account(**members)["status"] == "unknown"
        assert read_items({"seller": SELLER | {"email": 5}} | members)[0][0]["status"] == "unknown"

    @pytest.mark.parametrize(
        ("members", "status"),
        [
            ({"imin:matchingEmailExists": "perhaps"}, "not_connected"),
            ({"potentialAction": "connect"}, "not_connected"),
            ({"customer": 5}, "connected"),
            ({"accessPass": {"text": 5}}, "connected"),
            ({"imin:evidenceRequests": [{"expires": "soon"}]}, "connected"),
        ],
    )
    def test_unreadable_field_determines_its_case(self, members: dict[str, Any], status: str) -> None:
        (account,), warnings = read_items({"seller": SELLER} | members)
        assert account["status"] == status
        assert len(warnings) == 1


class TestAlternativeForms:
    @pytest.mark.parametrize(
        ("logo", "url"),
        [
            ("https://l.example.com/1", "https://l.example.com/1"),
            ({"contentUrl": "https://l.example.com/1"}, "https://l.example.com/1"),
            ({"@id": "https://l.example.com/1"}, "https://l.example.com/1"),
            ({"@value": "https://l.example.com/1"}, "https://l.example.com/1"),
            ([{"url": "javascript:x"}, {"url": "https://l.example.com/1"}], "https://l.example.com/1"),
            ({"url": "", "contentUrl": "https://l.example.com/1", "@id": "https://l.example.com/2"}, "https://l.example.com/1"),
            ({"url": {"@id": "https://l.example.com/1"}}, "https://l.example.com/1"),
            ({"url": ["https://l.example.com/1"]}, "https://l.example.com/1"),
            ({"@list": ["https://l.example.com/1"]}, "https://l.example.com/1"),
            (" https://l.example.com/1\n", "https://l.example.com/1"),
            ("HTTPS://l.example.com/1", "HTTPS://l.example.com/1"),
            ("http://[::1]:3000/@a", "http://[::1]:3000/@a"),
        ],
    )
    def test_url_is_read_from_a_string_or_an_object(self, logo: Any, url: str) -> None:
        assert read_account(seller=SELLER | {"logo": logo})["seller"]["logoUrl"] == url

    @pytest.mark.parametrize(
        "target",
        [
            {"@type": "EntryPoint", "urlTemplate": JWT_URL},
            {"url": JWT_URL},
            [JWT_URL],
            [{"@id": JWT_URL}],
        ],
    )
    @pytest.mark.parametrize(
        "type_value",
        [
            "RegisterAction",
            "schema:RegisterAction",
            "https://schema.org/RegisterAction",
            "http://schema.org/#RegisterAction",
            ["Action", "schema:RegisterAction"],
            ["RegisterAction"],
            {"@id": "schema:RegisterAction"},
        ],
    )
    def test_action_is_read_by_type_and_target(self, type_value: Any, target: Any) -> None:
        assert read_account(potentialAction={"@type": type_value, "target": target})["connect"] == {
            "suggested": "existing",
            "existingAccountUrl": JWT_URL,
        }

    @pytest.mark.parametrize("name", [{"@value": "Neun", "@language": "de"}, ["Neun"], [{}, {"@value": "Neun"}], [5, "Neun"]])
    def test_text_is_read_from_a_string_or_a_value_object(self, name: Any) -> None:
        assert read_account(seller={"@id": "s", "name": name})["seller"]["name"] == "Neun"

    @pytest.mark.parametrize(
        "status",
        [
            {"@id": "https://schema.org/ActiveActionStatus"},
            ["schema:ActiveActionStatus"],
            ["Thing", {"id": "ActiveActionStatus"}],
            "https://schema.org/ActiveActionStatus/",
        ],
    )
    def test_enumeration_is_read_by_its_last_part(self, status: Any) -> None:
        request = {"@id": "e", "evidenceRequest": [{"actionStatus": status}]}
        assert read_connected_account(**{"imin:evidenceRequests": request})["evidenceRequests"][0]["status"] == "active"

    @pytest.mark.parametrize(
        "type_value", ["EntitlementConflict", "oa:EntitlementConflict", ["https://openactive.io/EntitlementConflict"]]
    )
    def test_error_type_is_read_by_its_last_part(self, type_value: Any) -> None:
        assert read_connected_account(**{"imin:entitlementUpdateErrors": {"@type": type_value}})["entitlementErrors"] == [
            {"type": "EntitlementConflict"}
        ]

    @pytest.mark.parametrize(
        "flag",
        [True, "true", "True", [True], {"@value": True}, {"@value": "true"}, "https://schema.org/True", {"@id": "schema:True"}],
    )
    def test_flag_is_read_in_any_form(self, flag: Any) -> None:
        assert read_connected_account(hiddenEntitlements=flag)["hiddenEntitlements"] is True
        assert read_account(**{"imin:matchingEmailExists": flag})["emailMatches"] is True

    @pytest.mark.parametrize(
        ("moment", "utc"),
        [
            ("2021-01-27", "2021-01-27T00:00:00Z"),
            ("2021-01-27T12:00Z", "2021-01-27T12:00:00Z"),
            ("2021-01-27T12:00", "2021-01-27T12:00:00Z"),
            ("2021-01-27T12:00+01", "2021-01-27T11:00:00Z"),
            ("2021-01-27T12:00:05-0230", "2021-01-27T14:30:05Z"),
            ("2021-01-27T12:00:00.9999999Z", "2021-01-27T12:00:00Z"),
            ("2021-01-27T12:00:00.99999999999+01:00", "2021-01-27T11:00:00Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"),
            ({"@type": "xsd:date", "@value": "2021-01-27"}, "2021-01-27T00:00:00Z"),
            (["2021-01-27"], "2021-01-27T00:00:00Z"),
        ],
    )
    def test_date_is_read_with_or_without_a_time(self, moment: Any, utc: str) -> None:
        account = read_account(**{"dateLinked": moment, "imin:matchingEmailExists": True, "potentialAction": [CREATE]})
        assert json.loads(msgspec.json.encode(account))["connectedAt"] == utc

    @pytest.mark.parametrize("type_value", [5, [5], {"a": 1}, [{"@id": 5}], {"@value": 5}])
    def test_unreadable_type_affects_only_itself(self, type_value: Any) -> None:
        errors = {"@type": type_value, "name": "n"}
        (account,), warnings = read_items({"seller": SELLER, "dateLinked": "2021-01-27", "imin:entitlementUpdateErrors": errors})
        assert account["entitlementErrors"] == [{"name": "n"}]
        assert [warning["code"] for warning in warnings] == ["unreadable_field"]

    @pytest.mark.parametrize("container", ["@set", "@list"])
    def test_container_instead_of_an_object_is_read(self, container: str) -> None:
        account = read_connected_account(
            **{
                "imin:entitlementUpdateErrors": {container: [{"@type": "A"}, {"@type": "#", "name": "n"}]},
                "imin:evidenceRequests": {container: [{"evidenceRequestAction": {container: [{"url": "https://u"}]}}]},
                "accessPass": [{"text": {"@value": ""}, "url": "https://i"}],
            }
        )
        assert account["entitlementErrors"] == [{"type": "A"}, {"name": "n"}]
        assert account["evidenceRequests"] == [{"uploadUrl": "https://u", "status": "unknown"}]
        assert account["accessPasses"] == [{"imageUrl": "https://i"}]

    def test_empty_errors_and_requests_are_left_out(self) -> None:
        account = read_connected_account(
            **{"imin:entitlementUpdateErrors": [{}], "imin:evidenceRequests": [{"evidenceRequestAction": {}}]}
        )
        assert (account["entitlementErrors"], account["evidenceRequests"]) == ([], [])
        unknown = [{}, {"evidenceRequest": {"actionStatus": "Surprise"}}]
        assert read_connected_account(**{"imin:evidenceRequests": unknown})["evidenceRequests"] == []

    def test_iri_is_read_from_a_value_object(self) -> None:
        request = {"entitlementType": {"inScheme": {"@value": "scheme"}}}
        assert read_connected_account(**{"imin:evidenceRequests": request})["evidenceRequests"][0]["entitlementScheme"] == "scheme"

    def test_single_values_are_read_from_lists_and_sets(self) -> None:
        account = read_connected_account(
            seller=[SELLER | {"sameAs": {"@set": ["https://a.example.com", {"url": "https://b.example.com"}]}}],
            customer=[{"email": ["rosie@example.com"]}],
            accessPass={"@list": [{"text": ["0012"]}]},
            **{"imin:evidenceRequests": [{"entitlementType": [{"inScheme": {"@id": "scheme"}, "prefLabel": {"@value": "P"}}]}]},
        )
        assert account["seller"]["links"] == ["https://a.example.com", "https://b.example.com"]
        assert account["customer"] == {"email": "rosie@example.com"}
        assert account["accessPasses"] == [{"text": "0012"}]
        assert account["evidenceRequests"] == [{"entitlementName": "P", "entitlementScheme": "scheme", "status": "unknown"}]


class TestDangerousUrls:
    @pytest.mark.parametrize("url", DANGEROUS)
    def test_dangerous_url_is_left_out_with_a_warning_that_hides_it(self, url: str) -> None:
        members = {
            "seller": SELLER | {"url": url, "logo": {"url": url}, "sameAs": ["https://a.example.com", url]},
            "dateLinked": "2021-01-27T12:00:00Z",
            "accessPass": {"text": "0012", "url": url},
            "imin:evidenceRequests": [{"@id": "e", "evidenceRequest": {"url": url}}],
        }
        (account,), warnings = read_items(members)
        assert account["seller"] == {**SELLER_SHAPE, "links": ["https://a.example.com"]}
        assert account["accessPasses"] == [{"text": "0012"}]
        assert account["evidenceRequests"] == [{"entitlementId": "e", "status": "unknown"}]
        assert [(warning["index"], warning["code"]) for warning in warnings] == [(0, "unreadable_field")] * 5
        assert url not in json.dumps(warnings)

    @pytest.mark.parametrize("url", DANGEROUS)
    def test_dangerous_connect_url_is_left_out(self, url: str) -> None:
        (account,), warnings = read_items({"seller": SELLER, "potentialAction": [CREATE, REGISTER | {"target": url}]})
        assert account["connect"] == {"suggested": "new", "newAccountUrl": JWT_URL}
        assert [warning["detail"] for warning in warnings] == [
            "potentialAction[1].target: expected an http or https URL, got a string"
        ]


class TestInvalidJson:
    @pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b'"a\tb"', b'"a\nb"', b'{"a": [NaN]}'])
    def test_invalid_json_in_an_unused_field_has_no_effect(self, value: bytes) -> None:
        seller = json.dumps(SELLER).encode()
        for body in (
            b'{"x": ' + value + b', "imin:item": [{"seller": ' + seller + b"}]}",
            b'{"imin:item": [{"seller": ' + seller + b', "x": ' + value + b'}, {"seller": ' + seller + b"}]}",
        ):
            reshaped = reshape(body)
            assert reshaped.warnings == []
            assert {account.seller.name for account in reshaped.accounts} == {"Acme"}

    def test_invalid_json_in_a_field_affects_only_that_field(self) -> None:
        reshaped = reshape(b'{"imin:item": [{"seller": {"name": "Acme", "email": NaN}, "dateLinked": "2021-01-27"}]}')
        assert reshaped.accounts[0].seller.name == "Acme"
        assert [warning.detail for warning in reshaped.warnings] == ["seller.email: expected a string, got a number"]


class TestWarnings:
    @pytest.mark.parametrize(
        ("item", "detail"),
        [
            ("text", "account: expected an object, got a string"),
            (5, "account: expected an object, got a number"),
            (None, "account: expected an object, got nothing"),
            ([{}], "account: expected an object, got a list"),
            (True, "account: expected an object, got a boolean"),
            ({}, "seller: expected an object, got nothing"),
            ({"seller": "Acme"}, "seller: expected an object, got a string"),
            ({"seller": ["Acme"]}, "seller: expected an object, got a list"),
            ({"seller": []}, "seller: expected an object, got a list"),
        ],
    )
    def test_unreadable_account_affects_only_itself(self, item: Any, detail: str) -> None:
        accounts, warnings = read_items({"seller": SELLER}, item, {"seller": SELLER})
        assert len(accounts) == 2
        assert warnings == [{"index": 1, "code": "unreadable_account", "detail": detail}]

    @pytest.mark.parametrize(
        ("members", "detail"),
        [
            ({"seller": SELLER | {"email": 5}}, "seller.email: expected a string, got a number"),
            ({"seller": SELLER | {"logo": 5}}, "seller.logo: expected an http or https URL, got a number"),
            ({"seller": SELLER | {"logo": {"url": 5}}}, "seller.logo: expected an http or https URL, got a number"),
            ({"seller": SELLER | {"sameAs": ["https://a", 5]}}, "seller.sameAs[1]: expected an http or https URL, got a number"),
            ({"seller": SELLER | {"sameAs": 5}}, "seller.sameAs: expected an http or https URL, got a number"),
            ({"dateLinked": "yesterday"}, "dateLinked: expected a date and time, got a string"),
            ({"dateLinked": 1611748800}, "dateLinked: expected a date and time, got a number"),
            ({"dateLinked": "0001-01-01T00:00:00+14:00"}, "dateLinked: expected a date and time, got a string"),
            ({"hiddenEntitlements": "perhaps"}, "hiddenEntitlements: expected true or false, got a string"),
            ({"customer": "rosie@example.com"}, "customer: expected an object, got a string"),
            ({"accessPass": 5}, "accessPass: expected an object, got a number"),
            ({"accessPass": [{"text": 12345}]}, "accessPass[0].text: expected a string, got a number"),
            (
                {"imin:evidenceRequests": [[]], "imin:entitlementUpdateErrors": [[5]]},
                "imin:entitlementUpdateErrors[0]: expected an object, got a number",
            ),
            ({"seller": SELLER | {"telephone": "\ud800"}}, "seller.telephone: expected a string, got a string"),
        ],
    )
    def test_unreadable_field_affects_only_itself(self, members: dict[str, Any], detail: str) -> None:
        (account,), warnings = read_items({"seller": SELLER, "hasHiddenEntitlements": True} | members)
        assert account["status"] == "connected"
        assert account["seller"]["name"] == "Acme"
        assert warnings == [{"index": 0, "code": "unreadable_field", "detail": detail}]

    def test_unreadable_entitlement_filter_warns_without_an_index(self) -> None:
        reshaped = reshape(b'{"imin:item": [], "imin:entitlementFilter": 5}')
        detail = "imin:entitlementFilter: expected a string, got a number"
        assert msgspec.to_builtins(reshaped.warnings) == [{"code": "unreadable_field", "detail": detail}]
        assert reshaped.entitlement_filter is None

    @pytest.mark.parametrize("text", [b'"\xff"', b'"\\ud83d"'])
    def test_broken_string_affects_only_its_field(self, text: bytes) -> None:
        seller = json.dumps(SELLER).encode()
        body = b'{"imin:item": [{"seller": {"@id": "1", "name": ' + text + b'}}, {"seller": ' + seller + b"}]}"
        reshaped = reshape(body)
        assert [account.seller.name for account in reshaped.accounts] == [None, "Acme"]
        assert [warning.detail for warning in reshaped.warnings] == ["seller.name: expected a string, got a string"]

    def test_deeply_nested_item_affects_only_itself(self) -> None:
        deep = b"[" * 500 + b"]" * 500
        reshaped = reshape(b'{"imin:item": [{"seller": {"name": 5}, "x": ' + deep + b'}, {"seller": {"name": "Acme"}}]}')
        assert reshaped.accounts[-1].seller.name == "Acme"
        assert [warning.index for warning in reshaped.warnings] == [0]

    @pytest.mark.parametrize("field", ["imin:evidenceRequests", "customer", "dateLinked"])
    def test_deeply_nested_field_affects_no_other_account(self, field: str) -> None:
        deep = b"[" * 480 + b"]" * 480
        item = b'{"seller": {"name": "Acme", "email": 5}, "' + field.encode() + b'": ' + deep + b"}"
        reshaped = reshape(b'{"imin:item": [' + item + b', {"seller": {"name": "Neighbour"}}]}')
        assert [account.seller.name for account in reshaped.accounts] == ["Acme", "Neighbour"]

    def test_deeply_nested_url_affects_only_itself(self) -> None:
        deep = b'{"url":' * 480 + b'"https://a"' + b"}" * 480
        reshaped = reshape(b'{"imin:item": [{"seller": {"name": "Acme", "logo": ' + deep + b"}}]}")
        assert [account.seller.name for account in reshaped.accounts] == ["Acme"]
        assert [warning.detail for warning in reshaped.warnings] == ["seller.logo: nested too deeply"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=10,
)
MEMBERS = [
    "seller",
    "imin:matchingEmailExists",
    "potentialAction",
    "dateLinked",
    "hiddenEntitlements",
    "hasHiddenEntitlements",
    "customer",
    "accessPass",
    "imin:entitlementUpdateErrors",
    "imin:evidenceRequests",
]
INNER_MEMBERS = [
    "@id",
    "id",
    "@type",
    "name",
    "url",
    "logo",
    "email",
    "sameAs",
    "target",
    "text",
    "dateModified",
    "expires",
    "evidenceRequest",
]
FIELD = JSON | st.sampled_from(["2021-01-27T12:00:00Z", "9999-12-31T23:59:59-14:00", "true"])
OBJECT = st.dictionaries(st.sampled_from(INNER_MEMBERS), FIELD | st.lists(FIELD, max_size=2), max_size=5)
ITEM = JSON | st.dictionaries(st.sampled_from(MEMBERS), FIELD | OBJECT | st.lists(OBJECT, max_size=2), max_size=6)


@given(st.lists(ITEM, max_size=4))
def test_arbitrary_item_never_raises_or_affects_another(items: list[Any]) -> None:
    valid = {"seller": {"@id": "valid"}, "imin:matchingEmailExists": True}
    surrounded = [valid, *[member for item in items for member in (item, valid)]]

    accounts, warnings = read_items(*surrounded)

    unreadable = [warning["index"] for warning in warnings if warning["code"] == "unreadable_account"]
    assert len(accounts) + len(unreadable) == len(surrounded)
    assert [account["seller"] for account in accounts].count({"id": "valid", "links": []}) >= len(items) + 1
    assert all(index % 2 for index in unreadable)
    for index, item in enumerate(surrounded):
        assert _has_seller(item) is (index not in unreadable)


def _has_seller(item: Any) -> bool:
    seller = item.get("seller") if isinstance(item, dict) else None
    seller = seller.get("@set", seller.get("@list", seller)) if isinstance(seller, dict) else seller
    return any(isinstance(member, dict) for member in (seller if isinstance(seller, list) else [seller]))


@given(ITEM)
def test_account_reads_the_same_if_another_field_is_unreadable(item: Any) -> None:
    if isinstance(item, dict) and isinstance(item.get("seller"), dict):
        plain, warnings = read_items(item)
        salvaged, more_warnings = read_items(item | {"seller": item["seller"] | {"telephone": 5}})
        if not warnings and not item["seller"].get("telephone"):
            assert salvaged == plain
            assert [warning["detail"] for warning in more_warnings] == ["seller.telephone: expected a string, got a number"]


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_rejected(body: bytes) -> None:
    with contextlib.suppress(Problem):
        assert isinstance(reshape(body).accounts, list)
