"""Lambda entry point: `link_callback.handler` takes the customer's browser back from imin to the app."""

from seller_accounts.http.http_api import init_handler
from seller_accounts.routes.link_callback import make_handler

handler = init_handler(make_handler)
