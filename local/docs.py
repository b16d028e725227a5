"""The interactive documentation of the local stack: Swagger UI for `openapi.json`, with this stack as its first server.

Swagger UI comes from the package flask-swagger-ui, so nothing is loaded over the network. The package's own page isn't used because
its inline script would violate the policy below.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, render_template, send_from_directory
from werkzeug.wrappers import Request
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
    # Swagger UI's style sheet contains its icons as data URLs.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "connect-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self'",
}


def make_docs(has_issuer: bool) -> Flask:
    """Return the documentation as an application. If the stack `has_issuer`, the page can request tokens."""
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


def make_document(port: int) -> "WSGIApplication":
    """Return `openapi.json` as an application. Its first server is this stack, with the host name of the request.

    To a browser, `localhost` and `127.0.0.1` are two origins, and the page's policy allows only its own.
    """
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    deployed = [server for server in document["servers"] if "127.0.0.1" not in server["url"]]
    names = {f"localhost:{port}", f"127.0.0.1:{port}"}

    @Request.application
    def serve(request: Request) -> PlainResponse:
        host = request.host if request.host in names else f"127.0.0.1:{port}"
        servers = [{"url": f"http://{host}", "description": "This stack."}, *deployed]
        headers = {"Cache-Control": "no-store", "Vary": "Host"}
        return PlainResponse(json.dumps({**document, "servers": servers}), mimetype="application/json", headers=headers)

    return serve
