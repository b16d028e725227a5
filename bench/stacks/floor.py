"""A function with nothing in it but the clients that it can't do without, to measure ours beside.

Where it is given no table or no imin it makes no client for that. Its handler passes on what imin says, and checks, reshapes and
logs nothing.
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
    answer = session.get(os.environ["IMIN_BASE_URL"] + path, headers={"X-Api-Key": _key()}, timeout=8).json()
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(answer)}
