"""A customer's stored records: links, imin's notices, and the erasure of both.

`GET …/links`, `GET …/links/{linkId}`, `GET …/notices`, `DELETE …/records`.
"""

import uuid
from collections.abc import Mapping

import msgspec

from seller_accounts import settings
from seller_accounts.aws import secret, table
from seller_accounts.http import shapes
from seller_accounts.http.http_api import Handler, Request, Response, build_handler
from seller_accounts.http.identity import Identity
from seller_accounts.http.problems import Problem
from seller_accounts.http.representation import JSON
from seller_accounts.imin.imin_client import Upstream, upstream_deadline
from seller_accounts.links import confirmation
from seller_accounts.links.link_store import Link, LinkStore
from seller_accounts.notice_store import NoticeStore

MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 20
RESERVED_MS = 2_500  # left for one more delete and the response


class RecordRoutes(msgspec.Struct, frozen=True):
    """The routes with their clients."""

    identity: Identity
    table: table.Table
    links: LinkStore
    notices: NoticeStore
    upstream: Upstream

    def list_links(self, request: Request) -> Response:
        """List links, newest first."""
        customer = self.identity.customer(request)
        links, next_cursor = self.links.page(customer, *_paging(request))
        return _json(shapes.Links(links=[_link(link) for link in links], next_cursor=next_cursor))

    def get_link(self, request: Request) -> Response:
        """Get a link. Until it is confirmed or expired, this calls imin for its outcome, even without a callback."""
        customer = self.identity.customer(request)
        link = self.links.get(customer, _link_id(request))
        if link is None:
            raise Problem("link_not_found", "This customer has no such link, or it has expired.")
        if link.status != "confirmed" and self.table.clock() < link.expires_at.timestamp():
            link = confirmation.settle(self.upstream, self.links, customer, link, upstream_deadline(request.remaining_ms()))
        return _json(_link(link))

    def list_notices(self, request: Request) -> Response:
        """List notices, newest first."""
        customer = self.identity.customer(request)
        notices, next_cursor = self.notices.page(customer, *_paging(request))
        listed = [shapes.Notice(id=notice.id, received_at=notice.received_at, type=notice.type) for notice in notices]
        return _json(shapes.Notices(notices=listed, next_cursor=next_cursor))

    def erase_records(self, request: Request) -> Response:
        """Erase all records of the customer. A link that is still valid can make a new record later."""
        customer = self.identity.customer(request)
        self.table.erase(customer, lambda: request.remaining_ms() > RESERVED_MS)
        return {"statusCode": 204, "headers": {"Cache-Control": "no-store"}}


def _paging(request: Request) -> tuple[int, str | None]:
    limit = request.query_value("limit")
    if limit is None:
        return DEFAULT_PAGE_SIZE, request.query_value("cursor")
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= MAX_PAGE_SIZE):
        raise Problem("invalid_request", f"limit must be a whole number from 1 to {MAX_PAGE_SIZE}.")
    return int(limit), request.query_value("cursor")


def _link_id(request: Request) -> str:
    """Return the link's id in canonical form. Raises `Problem` (`link_not_found`)."""
    try:
        return str(uuid.UUID(request.path_parameters.get("linkId", "")))
    except ValueError:
        raise Problem("link_not_found", "This customer has no such link, or it has expired.") from None


def _link(link: Link) -> shapes.LinkRecord:
    sellers = [shapes.LinkedSeller(id=seller.id, name=seller.name, connected_at=seller.connected_at) for seller in link.sellers]
    return shapes.LinkRecord(
        id=link.id,
        status=link.status,
        issued_at=link.issued_at,
        expires_at=link.expires_at,
        first_callback_at=link.first_callback_at,
        last_callback_at=link.last_callback_at,
        callback_count=link.callback_count,
        sellers=sellers,
    )


def _json(body: shapes.Shape) -> Response:
    headers = {"Content-Type": JSON, "Cache-Control": "no-store"}
    return {"statusCode": 200, "headers": headers, "body": msgspec.json.encode(body).decode()}


def make_handler(environment: Mapping[str, str]) -> Handler:
    """Make the function's handler and its clients. Raises `SettingsError`."""
    upstream = settings.UpstreamSettings.from_environment(environment)
    identity = Identity(settings.IdentitySettings.from_environment(environment))
    records = table.Table(settings.StoreSettings.from_environment(environment), table.make_client())
    api_key = secret.Secret(secret.make_client(), upstream.api_key_secret)
    routes = RecordRoutes(identity, records, LinkStore(records), NoticeStore(records), Upstream(upstream, api_key))
    return build_handler(
        {
            "GET /v1/customers/{customerIdentifier}/links": routes.list_links,
            "GET /v1/customers/{customerIdentifier}/links/{linkId}": routes.get_link,
            "GET /v1/customers/{customerIdentifier}/notices": routes.list_notices,
            "DELETE /v1/customers/{customerIdentifier}/records": routes.erase_records,
        }
    )
