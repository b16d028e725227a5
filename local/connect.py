"""The local imin's connect pages: a customer logs in to an account, creates one, or cancels, and returns to the app.

A wrong password doesn't use up a connect URL. imin doesn't document how a customer returns, so the style can be chosen
(`RETURN_STYLES`). The pages don't look like imin's.
"""

from collections.abc import Callable

from flask import Blueprint, Response, request

from local.connect_urls import Connection, ConnectUrls, LinkError
from local.imin_pages import make_pages, page, see_other
from local.imin_state import State

RETURN_STYLES = {
    "plain": "nothing is appended",
    "status": "status=… is appended correctly, with ? or &",
    "naive": "?status=… is appended, even if there is a query already",
    "never": "the browser stays here, as if it was closed or lost its connection",
}


def make_connect_pages(state: State, urls: ConnectUrls, clock: Callable[[], float]) -> Blueprint:
    """Return the pages that `urls` lead to."""
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
    """Return the URI that the customer returns to after `outcome`, in one of `RETURN_STYLES`."""
    if style == "plain":
        return redirect_uri
    if style == "naive":
        return f"{redirect_uri}?status={outcome}"
    address, separator, fragment = redirect_uri.partition("#")
    return f"{address}{'&' if '?' in address else '?'}status={outcome}{separator}{fragment}"


def _connect(state: State, connection: Connection, now: float) -> str | None:
    """Connect the account according to the request's form. Return an error for the customer, or None."""
    customer, seller = state.customers[connection.customer], connection.seller
    name, email, password = (request.form.get(field, "") for field in ("name", "email", "password"))
    login = state.login(customer, seller)
    if state.is_connected(customer, seller):
        return "Your account is connected already. Choose Cancel to return to the app."
    if connection.action == "RegisterAction":
        if login is None or (email.strip().casefold(), password) != (login["email"].casefold(), login["password"]):
            return "The e-mail address or the password is wrong."
    elif login is not None:
        return "You have an account here already. Go back to the app and connect that one."
    elif not (name.strip() and email.strip() and password):
        return "Your name, an e-mail address and a password are required."
    state.connect(customer, seller, login or {"email": email.strip(), "password": password}, now)
    return None


def _form(state: State, connection: Connection, email: str, error: str | None = None) -> Response:
    seller = state.visible_sellers(state.customers[connection.customer])[connection.seller]
    is_new = connection.action == "CreateAction"
    name = request.form.get("name", "")
    return page("connect.html", 422 if error else 200, seller=seller, is_new=is_new, name=name, email=email, error=error)
