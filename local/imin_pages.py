"""Serve the local imin's pages: HTML from `templates/`, which can't be cached or framed and runs no scripts.

The CSP has no `form-action` because browsers apply it to redirects after a form, too, and customers return to a URI of any scheme.
Source: CSP Level 3; WCAG 2.2 AA for `static/imin.css`.
"""

from flask import Blueprint, Response, render_template

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'self'",
}


def make_pages(name: str) -> Blueprint:
    """Return a blueprint that adds `HEADERS` to all its responses."""
    pages = Blueprint(name, __name__)

    @pages.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return pages


def page(template: str, status: int = 200, **values: object) -> Response:
    """Return the page `template` with `values`, which are escaped."""
    return Response(render_template(template, **values), status, mimetype="text/html")


def see_other(uri: str) -> Response:
    """Redirect the browser to `uri` unchanged. Flask's `redirect` would rewrite it."""
    return Response(status=303, headers={"Location": uri})
