"""Lambda entry point: `webhook.handler` stores imin's notices."""

from seller_accounts.http.http_api import init_handler
from seller_accounts.routes.webhook import make_handler

handler = init_handler(make_handler)
