"""AWS, past the service: clients of an AWS on loopback, and what is stored of a customer."""

import functools
from typing import Any

import boto3


@functools.cache
def client_of(aws_url: str, service: Any = "dynamodb") -> Any:
    """Make a client for a service of the AWS at `aws_url`."""
    return boto3.client(service, endpoint_url=aws_url, region_name="eu-west-2", aws_access_key_id="x", aws_secret_access_key="x")


def records_of(client: Any, customer: str, table: str = "RecordsTable") -> list[dict[str, Any]]:
    """All records of `customer`, as DynamoDB has them."""
    values = {":pk": {"S": f"CUSTOMER#{customer}"}}
    query = {"TableName": table, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
    return [item for page in client.get_paginator("query").paginate(**query) for item in page["Items"]]


def link_record_of(client: Any, customer: str = "rosie") -> dict[str, Any]:
    """Return the only record of a link of `customer` that has a callback or is confirmed."""
    (record,) = [item for item in records_of(client, customer) if item["sk"]["S"].startswith("LINK#")]
    return record
