"""`POST /v1/webhooks/imin`: imin says that something about a customer changed. That it did is stored, for the app to ask again.

It carries no difference and may stand for several changes; the same body twice is two changes.
Source: what is known around imin's page: an `X-Api-Key` agreed beforehand, the answer 204.
"""

import codecs
import hmac
from collections.abc import Mapping

import msgspec

from seller_accounts import settings
from seller_accounts.aws import secret, table
from seller_accounts.http.http_api import Handler, Request, Response, build_handler
from seller_accounts.http.identity import CUSTOMER_IDENTIFIER
from seller_accounts.http.problems import Problem
from seller_accounts.notice_store import NoticeStore
from seller_accounts.telemetry import count

MAX_NOTICE_BYTES = 64 * 1024
MAX_TYPE_CHARACTERS = 256


class Notice(msgspec.Struct):
    """The body, as far as it is used."""

    identifier: str
    at_type: object = msgspec.field(name="@type", default=None)
    type: object = None


class WebhookRoute(msgspec.Struct, frozen=True):
    """The route, and what it works with."""

    key: secret.Secret
    store: NoticeStore

    def __call__(self, request: Request) -> Response:
        if not self._is_known(request.headers.get("x-api-key", "")):
            raise Problem("unauthenticated", "The API key is missing or wrong.", headers={"WWW-Authenticate": "ApiKey"})
        body = request.body()
        if len(body) > MAX_NOTICE_BYTES:
            raise Problem("payload_too_large", f"A notice has at most {MAX_NOTICE_BYTES} bytes.")
        notice = _notice_in(body)
        request.log["customer_identifier"] = notice.identifier
        try:
            self.store.add(notice.identifier, _type_of(notice))
        except Problem:
            count("NoticesNotStored")
            raise
        count("NoticesStored")
        return {"statusCode": 204, "headers": {"Cache-Control": "no-store"}}

    def _is_known(self, key: str) -> bool:
        """Whether `key` is the current or the previous webhook key, those that were rotated a moment ago included."""
        return _is_among(key, self.key.versions()) or (self.key.refresh_if_due() and _is_among(key, self.key.versions()))


def _is_among(key: str, known: list[str]) -> bool:
    """Whether `key` is one of `known`, in a time that does not tell how much of it is right."""
    return sum(hmac.compare_digest(key.encode(), each.encode()) for each in known) > 0


def _notice_in(body: bytes) -> Notice:
    try:
        notice = msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8), type=Notice)
    except (ValueError, RecursionError) as error:
        raise Problem("invalid_request", "The body must be a JSON object with the identifier of a customer.") from error
    if not CUSTOMER_IDENTIFIER.fullmatch(notice.identifier):
        raise Problem("invalid_request", "The identifier is not one that a customer can have.")
    return notice


def _type_of(notice: Notice) -> str | None:
    kind = notice.at_type or notice.type
    return kind[:MAX_TYPE_CHARACTERS] if isinstance(kind, str) and kind else None


def make_handler(environment: Mapping[str, str]) -> Handler:
    """The function's handler, with its clients. Raises `SettingsError`."""
    key = secret.Secret(secret.make_client(), settings.WebhookSettings.from_environment(environment).key_secret)
    records = table.Table(settings.StoreSettings.from_environment(environment), table.make_client())
    return build_handler({"POST /v1/webhooks/imin": WebhookRoute(key, NoticeStore(records))})
