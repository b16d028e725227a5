"""Lambda entry point: `accounts.handler` lists a customer's accounts and serves the health check."""

from seller_accounts.http.http_api import init_handler
from seller_accounts.routes.accounts import make_handler

handler = init_handler(make_handler)
