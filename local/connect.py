"""The local imin's connect pages: a customer logs in to an account, creates one, or cancels, and is redirected.

A wrong password does not use up a connect URL. How a customer comes back is documented nowhere, so it can be chosen:
`RETURN_STYLES`. Nothing here is a model of how imin's own pages look.
"""

from collections.abc import Callable

from flask import Blueprint, Response, request

from local.connect_urls import Connection, ConnectUrls, LinkError
from local.imin_pages import make_pages, page, see_other
from local.imin_state import State

RETURN_STYLES = {
    "plain": "nothing is appended",
    "status": "status=… is appended with ? or &, as it should be",
    "naive": "?status=… is appended, even to a query that is there already",
    "never": "the browser stays here, as if it were closed or lost its network",
}


def make_connect_pages(state: State, urls: ConnectUrls, clock: Callable[[], float]) -> Blueprint:
    """Make the pages that `urls` lead to."""
    pages = make_pages("connect")

    def read() -> tuple[str, Connection]:
        if state.fault == "old-urls":
            raise LinkError(410, "This link has expired")
        return urls.read(request.args.get("jwt", ""))

    @pages.get("/auth/connect-account")
    def show() -> Response:
        with state.lock:
            _, connection = read()
            return _form(state, connection, state.customers[connection.customer]["email"])

    @pages.post("/auth/connect-account")
    def submit() -> Response:
        with state.lock:
            jti, connection = read()
            outcome = "cancelled" if "cancel" in request.form else "success"
            error = _connect(state, connection, clock()) if outcome == "success" else None
            if error:
                return _form(state, connection, request.form.get("email", ""), error)
            urls.use_up(jti)
            if state.return_style == "never":
                return page("message.html", 200, title="The browser does not return", text=f"At imin the outcome is: {outcome}.")
            return see_other(return_uri(connection.redirect_uri, outcome, state.return_style))

    @pages.errorhandler(LinkError)
    def reject(error: LinkError) -> Response:
        return page("message.html", error.status, title=str(error), text="Please go back to the app and start again.")

    return pages


def return_uri(redirect_uri: str, outcome: str, style: str) -> str:
    """Where a customer is sent after `outcome`, in one of `RETURN_STYLES`."""
    if style == "plain":
        return redirect_uri
    if style == "naive":
        return f"{redirect_uri}?status={outcome}"
    address, mark, fragment = redirect_uri.partition("#")
    return f"{address}{'&' if '?' in address else '?'}status={outcome}{mark}{fragment}"


def _connect(state: State, connection: Connection, now: float) -> str | None:
    """Connect the account as the form says; return an error message, if any."""
    customer, seller = state.customers[connection.customer], connection.seller
    name, email, password = (request.form.get(field, "") for field in ("name", "email", "password"))
    login = state.login(customer, seller)
    if state.is_connected(customer, seller):
        return "Your account is connected already. Cancel leads back to the app."
    if connection.action == "RegisterAction":
        if login is None or (email.strip().casefold(), password) != (login["email"].casefold(), login["password"]):
            return "The e-mail address or the password is wrong."
    elif login is not None:
        return "You have an account here already. Go back to the app and connect that one."
    elif not (name.strip() and email.strip() and password):
        return "Your name, an e-mail address and a password are needed."
    state.connect(customer, seller, login or {"email": email.strip(), "password": password}, now)
    return None


def _form(state: State, connection: Connection, email: str, error: str | None = None) -> Response:
    seller = state.sellers_of(state.customers[connection.customer])[connection.seller]
    is_new = connection.action == "CreateAction"
    name = request.form.get("name", "")
    return page("connect.html", 422 if error else 200, seller=seller, is_new=is_new, name=name, email=email, error=error)
