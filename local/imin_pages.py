"""How the local imin's pages are served: HTML without scripts from `templates/`, for nobody to keep, frame or put a script into.

The CSP has no `form-action`: browsers apply it to redirects after a form too, and the redirect may have any scheme.
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
    """Where pages are added; all that it answers has these headers."""
    pages = Blueprint(name, __name__)

    @pages.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return pages


def page(template: str, status: int = 200, **values: object) -> Response:
    """Render `template` with `values`, which are escaped."""
    return Response(render_template(template, **values), status, mimetype="text/html")


def see_other(uri: str) -> Response:
    """Redirect the browser to exactly `uri`; the framework's redirect would rewrite it."""
    return Response(status=303, headers={"Location": uri})
