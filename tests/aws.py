"""Direct access to AWS, bypassing the service: clients for an AWS on loopback, and a customer's stored records."""

import functools
from typing import Any

import boto3


@functools.cache
def make_client(aws_url: str, service: Any = "dynamodb") -> Any:
    """Make a client for a service of the AWS at `aws_url`."""
    return boto3.client(service, endpoint_url=aws_url, region_name="eu-west-2", aws_access_key_id="x", aws_secret_access_key="x")


def read_records(client: Any, customer: str, table: str = "RecordsTable") -> list[dict[str, Any]]:
    """Return all of the customer's records as stored in DynamoDB."""
    values = {":pk": {"S": f"CUSTOMER#{customer}"}}
    query = {"TableName": table, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
    return [item for page in client.get_paginator("query").paginate(**query) for item in page["Items"]]


def read_link_record(client: Any, customer: str = "rosie") -> dict[str, Any]:
    """Return the customer's only link record; links that are merely issued have another key and don't count."""
    (record,) = [item for item in read_records(client, customer) if item["sk"]["S"].startswith("LINK#")]
    return record
