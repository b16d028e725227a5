"""What came of a link: imin is asked again, and the accounts that were connected since the link was issued go on its record.

What the way back said is not believed. While imin can't say, or the outcome can't be stored, the link stays `received`, to be
settled when it is next read.
Source: what is known around imin's page: an account counts by its `dateLinked`, less five minutes for clocks that differ.
"""

import logging
from datetime import timedelta

from link_state import DIGEST_BYTES, digest_of
from link_store import ConnectedSeller, Link, LinkStore
from problems import Problem
from reshape import reshape
from shapes import Account, Connected
from telemetry import count, describe, log
from upstream import Upstream

CLOCK_SKEW = timedelta(minutes=5)
STATUS_METRICS = {"confirmed": "LinksConfirmed", "not_confirmed": "LinksNotConfirmed"}


def settle(upstream: Upstream, store: LinkStore, customer: str, link: Link, deadline: float) -> Link:
    """The link with its outcome, stored; as it is when the outcome can't be had or stored by `deadline`."""
    try:
        accounts = reshape(upstream.accounts(customer, None, deadline)).accounts
        settled = store.settle(customer, link, newly_connected(accounts, link))
    except Problem as problem:
        count("LinksLeftReceived")
        log(logging.WARNING, "link_not_settled", link_id=link.id, code=problem.code, **describe(problem))
        return link
    count(STATUS_METRICS[settled.status])
    return settled


def newly_connected(accounts: list[Account], link: Link) -> list[ConnectedSeller]:
    """The sellers connected since `link` was issued, and not connected before, that can be named."""
    digests = link.connected_before
    before = {digests[start : start + DIGEST_BYTES] for start in range(0, len(digests), DIGEST_BYTES)}
    found = []
    for account in accounts:
        if isinstance(account, Connected) and account.connected_at and account.seller.id:
            is_since = account.connected_at >= link.issued_at - CLOCK_SKEW
            if is_since and digest_of(account.seller.id) not in before:
                found.append(ConnectedSeller(account.seller.id, account.seller.name, account.connected_at))
    return found
