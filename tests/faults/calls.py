"""The functions' outbound calls, each with the request that causes it and the faults to inject."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from seller_accounts.aws import secret
from tests.conftest import Response
from tests.faults.aws import CACHED_KEY_FAULTS, READ_FAULTS, WRITE_FAULTS, Fault
from tests.faults.rig import Rig

Request = Callable[[], Response]


@dataclass(frozen=True, eq=False)
class Call:
    """An outbound call. `prepare` creates the required records and returns the request that causes the call.

    `needle` identifies the call's AWS requests: only their bodies contain it.
    """

    title: str
    target: Literal["imin", "the issuer", "Secrets Manager", "DynamoDB"]
    prepare: Callable[[Rig], Request]
    needle: str = ""
    faults: Mapping[str, Fault] = field(default_factory=lambda: READ_FAULTS)
    """Faults of an AWS call; those of imin and the issuer are in `network`."""
    max_seconds: float = 8.0
    """The function's total time budget for imin."""


def _with_cached_key(prepare: Callable[[Rig], Request]) -> Callable[[Rig], Request]:
    """Return a `prepare` that first sends the request once, and lets the cached key expire."""

    def prepare_with_cached_key(rig: Rig) -> Request:
        request = prepare(rig)
        request()
        rig.clock.advance(secret.TTL_SECONDS)
        return request

    return prepare_with_cached_key


def _get_accounts(rig: Rig) -> Request:
    return rig.get_accounts


def _send_unverified_token(rig: Rig) -> Request:
    return lambda: rig.get_accounts(is_verified=False)


def _get_link(rig: Rig) -> Request:
    return lambda: rig.get_accounts("redirectUri=brokerapp://linked")


def _open_callback(rig: Rig) -> Request:
    state = rig.get_link_state()
    return lambda: rig.open_callback(state)


def _read_issued(rig: Rig) -> Request:
    link_id = rig.create_issued_link()
    return lambda: rig.send_event("links", "link-get", linkId=link_id)


def _read_received(rig: Rig) -> Request:
    link_id = rig.create_received_link()
    return lambda: rig.send_event("links", "link-get", linkId=link_id)


def _erase_records(rig: Rig) -> Request:
    rig.create_received_link()
    rig.notify()
    return lambda: rig.send_event("links", "records-delete")


def _list_notices(rig: Rig) -> Request:
    rig.notify()
    return lambda: rig.send_event("links", "notices-get")


CALLS = [
    Call("GET accounts: the issuer's keys, if API Gateway hasn't verified the token", "the issuer", _send_unverified_token),
    Call("GET accounts: the same, cached five minutes ago", "the issuer", _with_cached_key(_send_unverified_token)),
    Call("GET accounts: imin's key", "Secrets Manager", _get_accounts, "IminApiKeySecret"),
    Call("GET accounts: imin's key, cached five minutes ago", "Secrets Manager",
         _with_cached_key(_get_accounts), "IminApiKeySecret", faults=CACHED_KEY_FAULTS),
    Call("GET accounts: imin", "imin", _get_accounts),
    Call("GET accounts with `redirectUri`: the key that signs states", "Secrets Manager", _get_link, "LinkStateSecret"),
    Call("GET accounts with `redirectUri`: imin", "imin", _get_link),
    Call("GET accounts with `redirectUri`: storing the link", "DynamoDB", _get_link, "connectedBefore", faults=WRITE_FAULTS),
    Call("Callback: the keys that signed states", "Secrets Manager", _open_callback, "LinkStateSecret"),
    Call("Callback: the same, cached five minutes ago", "Secrets Manager",
         _with_cached_key(_open_callback), "LinkStateSecret", faults=CACHED_KEY_FAULTS),
    Call("Callback: storing it", "DynamoDB", _open_callback, "callbackCount", faults=WRITE_FAULTS),
    Call("Callback: reading the sellers connected before", "DynamoDB", _open_callback, "ISSUED#"),
    Call("Callback: imin's key", "Secrets Manager", _open_callback, "IminApiKeySecret"),
    Call("Callback: imin", "imin", _open_callback, max_seconds=2.5),
    Call("Callback: storing its outcome", "DynamoDB", _open_callback, "#status = :confirmed", faults=WRITE_FAULTS),
    Call("GET links, GET notices: reading them", "DynamoDB", _list_notices, "begins_with"),
    Call("GET links/{linkId}, `issued`: reading it", "DynamoDB", _read_issued, "ConsistentRead"),
    Call("GET links/{linkId}, `issued`: imin", "imin", _read_issued),
    Call("GET links/{linkId}, `issued`: storing its outcome", "DynamoDB", _read_issued, "#status = :confirmed",
         faults=WRITE_FAULTS),
    Call("GET links/{linkId}, `received`: reading it", "DynamoDB", _read_received, "ConsistentRead"),
    Call("GET links/{linkId}, `received`: imin's key", "Secrets Manager", _read_received, "IminApiKeySecret"),
    Call("GET links/{linkId}, `received`: imin", "imin", _read_received),
    Call("GET links/{linkId}, `received`: storing its outcome", "DynamoDB", _read_received, "#status = :confirmed",
         faults=WRITE_FAULTS),
    Call("DELETE records: finding them", "DynamoDB", _erase_records, "ProjectionExpression"),
    Call("DELETE records: deleting them", "DynamoDB", _erase_records, "DeleteRequest", faults=WRITE_FAULTS),
    Call("Webhook: its keys", "Secrets Manager", lambda rig: rig.notify, "IminWebhookSecret"),
    Call("Webhook: the same, cached five minutes ago", "Secrets Manager",
         _with_cached_key(lambda rig: rig.notify), "IminWebhookSecret", faults=CACHED_KEY_FAULTS),
    Call("Webhook: storing the notice", "DynamoDB", lambda rig: rig.notify, "receivedAt", faults=WRITE_FAULTS),
]  # fmt: skip
