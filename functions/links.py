"""Lambda entry point: `links.handler` returns a customer's links and notices, and erases their records."""

from seller_accounts.http.http_api import init_handler
from seller_accounts.routes.links import make_handler

handler = init_handler(make_handler)
