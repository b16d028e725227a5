"""A minimal function, for comparison: it has only the clients that it needs, and passes imin's JSON through.

It creates a client for the table or imin only if the setting is present. It doesn't check, reshape or log anything.
"""

import functools
import json
import os
from typing import Any

import botocore.session

aws = botocore.session.get_session()
secrets: Any = aws.create_client("secretsmanager")
if "LINKS_TABLE" in os.environ:
    table = aws.create_client("dynamodb")
if "IMIN_BASE_URL" in os.environ:
    import requests

    session = requests.Session()


@functools.cache
def _key() -> str:
    key: str = secrets.get_secret_value(SecretId=os.environ["IMIN_API_KEY_SECRET"])["SecretString"]
    return key


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    path = os.environ["IMIN_ACCOUNTS_PATH"].replace("{customerIdentifier}", event["pathParameters"]["customerIdentifier"])
    accounts = session.get(os.environ["IMIN_BASE_URL"] + path, headers={"X-Api-Key": _key()}, timeout=8).json()
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(accounts)}
