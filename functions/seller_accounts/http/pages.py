"""HTML pages for the customer's browser after imin: without scripts, for a phone, in light and dark.

All texts are escaped here. Source: CSP Level 3 (hashes), WCAG 2.2 AA (contrast, target size).
"""

import base64
import hashlib
import html
from string import Template

from seller_accounts.http.http_api import Response

STYLE = """
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 32rem; padding: 3rem 1.25rem; color: #1b1b1f; background: #fff; }
h1 { font-size: 1.5rem; line-height: 1.25; }
a { display: inline-block; margin-top: 1rem; padding: .75rem 1.5rem; border-radius: .5rem; color: #fff; background: #0b57d0; }
a:focus-visible { outline: .2rem solid; outline-offset: .2rem; }
@media (prefers-color-scheme: dark) {
  body { color: #e3e2e6; background: #1b1b1f; }
  a { color: #062e6f; background: #a8c7fa; }
}
"""
PAGE = Template(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>$title</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><style>$style</style></head>'
    "<body><main><h1>$title</h1>$text$link</main></body></html>\n"
)
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
}


def page(
    status: int, title: str, *paragraphs: str, link: tuple[str, str] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Render a page. `link` is its button: URL and label."""
    body = PAGE.substitute(
        title=html.escape(title),
        style=STYLE,
        text="".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs),
        link=f'<a href="{html.escape(link[0])}">{html.escape(link[1])}</a>' if link else "",
    )
    return {"statusCode": status, "headers": {**HEADERS, **(headers or {})}, "body": body}
