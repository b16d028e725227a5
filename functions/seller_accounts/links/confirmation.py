"""Settle a link: call imin to find out which accounts were connected since the link was issued, and store the outcome.

Nothing in the callback's query is trusted. If imin fails or the outcome can't be stored, the link stays as it is and is settled
when it is next read.
Source: imin's page "Get Seller Accounts". Assumption (not in imin's documentation): an account whose `dateLinked` is at most five
minutes older than the link may be new, because clocks differ.
"""

import logging
from datetime import timedelta

from seller_accounts.http.problems import Problem
from seller_accounts.http.shapes import Account, Connected
from seller_accounts.imin.imin_client import Upstream
from seller_accounts.imin.reshape import reshape
from seller_accounts.links.link_state import seller_digest, split_digests
from seller_accounts.links.link_store import ConnectedSeller, Link, LinkStore
from seller_accounts.telemetry import count, exception_fields, log

CLOCK_SKEW = timedelta(minutes=5)
STATUS_METRICS = {"confirmed": "LinksConfirmed", "not_confirmed": "LinksNotConfirmed"}


def settle(upstream: Upstream, store: LinkStore, customer: str, link: Link, deadline: float) -> Link:
    """Store and return the link with its outcome, or return it unchanged if imin or the table fails by `deadline`."""
    try:
        if link.connected_before is None:
            link = link._replace(connected_before=store.connected_before(customer, link.id))
        accounts = reshape(upstream.accounts(customer, None, deadline)).accounts
        settled = store.settle(customer, link, newly_connected(accounts, link))
    except Problem as problem:
        if link.status == "issued":
            count("LinksLeftIssued")
        else:
            count("LinksLeftReceived")
        log(logging.WARNING, "link_not_settled", link_id=link.id, code=problem.code, **exception_fields(problem))
        return link
    if settled.status != link.status:
        count(STATUS_METRICS[settled.status])
        if link.status == "issued":
            count("LinksConfirmedWithoutCallback")
    return settled


def newly_connected(accounts: list[Account], link: Link) -> list[ConnectedSeller]:
    """Return the identifiable sellers that are connected now but weren't when `link` was issued.

    A seller whose connection date precedes the link by more than `CLOCK_SKEW` doesn't count. If the sellers connected at that
    time are unknown, the date alone decides.
    """
    before = None if link.connected_before is None else split_digests(link.connected_before)
    sellers = []
    for account in accounts:
        if not isinstance(account, Connected) or not account.seller.id:
            continue
        if before is not None and seller_digest(account.seller.id) in before:
            continue
        is_since = account.connected_at >= link.issued_at - CLOCK_SKEW if account.connected_at else before is not None
        if is_since:
            sellers.append(ConnectedSeller(account.seller.id, account.seller.name, account.connected_at))
    return sellers
