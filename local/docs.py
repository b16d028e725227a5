"""The interactive documentation of the local stack: Swagger UI over `openapi.json`, with this stack as the first of its servers.

Swagger UI comes with the package flask-swagger-ui, so nothing is loaded from elsewhere. The package's own page is not used, as it
has a script in it, which the policy here does not let in.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, render_template, send_from_directory
from werkzeug.wrappers import Response as PlainResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "openapi.json"
SWAGGER_UI = Path(str(files("flask_swagger_ui"))) / "dist"
FILES = {
    "docs.css": HERE / "static",
    "docs.js": HERE / "static",
    "favicon-32x32.png": SWAGGER_UI,
    "swagger-ui-bundle.js": SWAGGER_UI,
    "swagger-ui.css": SWAGGER_UI,
}
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Swagger UI has its icons in its style sheet.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "connect-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self'",
}


def make_docs(has_issuer: bool) -> Flask:
    """The documentation as an application. Where the stack `has_issuer`, its page mints tokens."""
    app = Flask("docs", root_path=str(HERE), static_folder=None)

    @app.get("/", strict_slashes=False)
    def page() -> str:
        return render_template("docs.html", has_issuer=has_issuer)

    @app.get("/<name>")
    def file(name: str) -> Response:
        return send_from_directory(FILES[name], name) if name in FILES else abort(404)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return app


def make_document(api_url: str) -> "WSGIApplication":
    """`openapi.json` as an application, with `api_url` as the first server."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    elsewhere = [server for server in document["servers"] if "127.0.0.1" not in server["url"]]
    document["servers"] = [{"url": api_url, "description": "This stack."}, *elsewhere]
    return PlainResponse(json.dumps(document), mimetype="application/json", headers={"Cache-Control": "no-store"})
