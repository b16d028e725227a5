"""The calls that leave the functions: for each, the request in which it is made, and how it can be made to fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from seller_accounts.aws import secret
from tests.conftest import Answer
from tests.faults.aws import KEPT_FAULTS, READ_FAULTS, WRITE_FAULTS, Fault
from tests.faults.rig import Rig

Request = Callable[[], Answer]


@dataclass(frozen=True, eq=False)
class Call:
    """A call. `prepare` does what comes before, and gives the request in which it is made.

    `needle` is in the body of its requests to AWS, and in no others.
    """

    title: str
    to: Literal["imin", "the issuer", "Secrets Manager", "DynamoDB"]
    prepare: Callable[[Rig], Request]
    needle: str = ""
    faults: Mapping[str, Fault] = field(default_factory=lambda: READ_FAULTS)
    """Of AWS."""
    most_seconds: float = 8.0
    """That its function gives imin in all."""


def _known(request: Callable[[Rig], Request]) -> Callable[[Rig], Request]:
    """Return the same calls by environments that cached the key five minutes ago."""

    def prepare(rig: Rig) -> Request:
        made = request(rig)
        made()
        rig.clock.advance(secret.TTL_SECONDS)
        return made

    return prepare


def _accounts(rig: Rig) -> Request:
    return rig.lists


def _unverified(rig: Rig) -> Request:
    return lambda: rig.lists(is_verified=False)


def _link(rig: Rig) -> Request:
    return lambda: rig.lists("redirectUri=brokerapp://linked")


def _callback(rig: Rig) -> Request:
    state = rig.gets_link()
    return lambda: rig.comes_back(state)


def _read_issued(rig: Rig) -> Request:
    link_id = rig.has_issued_link()
    return lambda: rig.asks("links", "link-get", linkId=link_id)


def _read(rig: Rig) -> Request:
    link_id = rig.has_received_link()
    return lambda: rig.asks("links", "link-get", linkId=link_id)


def _erase(rig: Rig) -> Request:
    rig.has_received_link()
    rig.notifies()
    return lambda: rig.asks("links", "records-delete")


def _list(rig: Rig) -> Request:
    rig.notifies()
    return lambda: rig.asks("links", "notices-get")


CALLS = [
    Call("GET accounts: the issuer's keys, if API Gateway hasn't verified the token", "the issuer", _unverified),
    Call("GET accounts: the same, cached five minutes ago", "the issuer", _known(_unverified)),
    Call("GET accounts: imin's key", "Secrets Manager", _accounts, "IminApiKeySecret"),
    Call("GET accounts: imin's key, cached five minutes ago", "Secrets Manager",
         _known(_accounts), "IminApiKeySecret", faults=KEPT_FAULTS),
    Call("GET accounts: imin", "imin", _accounts),
    Call("GET accounts with `redirectUri`: the key that signs states", "Secrets Manager", _link, "LinkStateSecret"),
    Call("GET accounts with `redirectUri`: imin", "imin", _link),
    Call("GET accounts with `redirectUri`: storing the link", "DynamoDB", _link, "connectedBefore", faults=WRITE_FAULTS),
    Call("Callback: the keys that signed states", "Secrets Manager", _callback, "LinkStateSecret"),
    Call("Callback: the same, cached five minutes ago", "Secrets Manager",
         _known(_callback), "LinkStateSecret", faults=KEPT_FAULTS),
    Call("Callback: storing it", "DynamoDB", _callback, "callbackCount", faults=WRITE_FAULTS),
    Call("Callback: reading the sellers connected before", "DynamoDB", _callback, "ISSUED#"),
    Call("Callback: imin's key", "Secrets Manager", _callback, "IminApiKeySecret"),
    Call("Callback: imin", "imin", _callback, most_seconds=2.5),
    Call("Callback: storing its outcome", "DynamoDB", _callback, "#status = :confirmed", faults=WRITE_FAULTS),
    Call("GET links, GET notices: reading them", "DynamoDB", _list, "begins_with"),
    Call("GET links/{linkId}, `issued`: reading it", "DynamoDB", _read_issued, "ConsistentRead"),
    Call("GET links/{linkId}, `issued`: imin", "imin", _read_issued),
    Call("GET links/{linkId}, `issued`: storing its outcome", "DynamoDB", _read_issued, "#status = :confirmed",
         faults=WRITE_FAULTS),
    Call("GET links/{linkId}, `received`: reading it", "DynamoDB", _read, "ConsistentRead"),
    Call("GET links/{linkId}, `received`: imin's key", "Secrets Manager", _read, "IminApiKeySecret"),
    Call("GET links/{linkId}, `received`: imin", "imin", _read),
    Call("GET links/{linkId}, `received`: storing its outcome", "DynamoDB", _read, "#status = :confirmed", faults=WRITE_FAULTS),
    Call("DELETE records: finding them", "DynamoDB", _erase, "ProjectionExpression"),
    Call("DELETE records: deleting them", "DynamoDB", _erase, "DeleteRequest", faults=WRITE_FAULTS),
    Call("Webhook: its keys", "Secrets Manager", lambda rig: rig.notifies, "IminWebhookSecret"),
    Call("Webhook: the same, cached five minutes ago", "Secrets Manager",
         _known(lambda rig: rig.notifies), "IminWebhookSecret", faults=KEPT_FAULTS),
    Call("Webhook: storing the notice", "DynamoDB", lambda rig: rig.notifies, "receivedAt", faults=WRITE_FAULTS),
]  # fmt: skip
