"""`POST /v1/webhooks/imin`: store imin's notice that something about a customer changed, so that the app fetches it again.

A notice doesn't say what changed and may stand for several changes; a repeated body is another notice.
Assumption (not in imin's documentation): imin sends an agreed `X-Api-Key` and expects 204.
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


class NoticePayload(msgspec.Struct):
    """The members of the body that are used."""

    identifier: str
    at_type: object = msgspec.field(name="@type", default=None)
    type: object = None


class WebhookRoute(msgspec.Struct, frozen=True):
    """The route with the webhook key and its store."""

    key: secret.Secret
    store: NoticeStore

    def __call__(self, request: Request) -> Response:
        if not self._is_known(request.headers.get("x-api-key", "")):
            raise Problem("unauthenticated", "The API key is missing or wrong.", headers={"WWW-Authenticate": "ApiKey"})
        body = request.body()
        if len(body) > MAX_NOTICE_BYTES:
            raise Problem("payload_too_large", f"A notice must have at most {MAX_NOTICE_BYTES} bytes.")
        notice = _parse_notice(body)
        request.log["customer_identifier"] = notice.identifier
        try:
            self.store.add(notice.identifier, _notice_type(notice))
        except Problem:
            count("NoticesNotStored")
            raise
        count("NoticesStored")
        return {"statusCode": 204, "headers": {"Cache-Control": "no-store"}}

    def _is_known(self, key: str) -> bool:
        """Whether `key` is the current or the previous webhook key, even if it was rotated a moment ago."""
        if _matches_any(key, self.key.versions()):
            return True
        return self.key.refresh_if_due() and _matches_any(key, self.key.versions())


def _matches_any(candidate: str, keys: list[str]) -> bool:
    """Whether `candidate` equals one of `keys`. Every key is compared, so that the time doesn't reveal which one matched."""
    return any([hmac.compare_digest(candidate.encode(), key.encode()) for key in keys])  # noqa: C419 - a generator would stop early


def _parse_notice(body: bytes) -> NoticePayload:
    try:
        notice = msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8), type=NoticePayload)
    except (ValueError, RecursionError) as error:
        raise Problem("invalid_request", "The body must be a JSON object with the identifier of a customer.") from error
    if not CUSTOMER_IDENTIFIER.fullmatch(notice.identifier):
        raise Problem("invalid_request", "The identifier is not a valid customer identifier.")
    return notice


def _notice_type(notice: NoticePayload) -> str | None:
    notice_type = notice.at_type or notice.type
    return notice_type[:MAX_TYPE_CHARACTERS] if isinstance(notice_type, str) and notice_type else None


def make_handler(environment: Mapping[str, str]) -> Handler:
    """Make the function's handler and its clients. Raises `SettingsError`."""
    key = secret.Secret(secret.make_client(), settings.WebhookSettings.from_environment(environment).key_secret)
    records = table.Table(settings.StoreSettings.from_environment(environment), table.make_client())
    return build_handler({"POST /v1/webhooks/imin": WebhookRoute(key, NoticeStore(records))})
