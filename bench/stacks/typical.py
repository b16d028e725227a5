"""A typical function, for comparison: not an example to follow.

It uses `requests`, boto3, Powertools' logger, metrics and tracer, and its resolver with validation by pydantic. It creates a client
for the table or imin only if the setting is present.
"""

import os
from datetime import datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field


class Logo(BaseModel):
    url: str


class Seller(BaseModel):
    id: str = Field(alias="@id")
    name: str
    url: str
    logo: Logo | None = None
    email: str | None = None
    telephone: str | None = None
    same_as: list[str] = Field(alias="sameAs", default_factory=list)


class Action(BaseModel):
    type: str = Field(alias="@type")
    target: str


class Customer(BaseModel):
    email: str
    date_modified: datetime = Field(alias="dateModified")


class AccessPass(BaseModel):
    text: str
    date_modified: datetime = Field(alias="dateModified")


class EntitlementError(BaseModel):
    type: str = Field(alias="@type")
    name: str
    description: str


class EvidenceRequestAction(BaseModel):
    url: str
    expiry: datetime
    action_status: str = Field(alias="actionStatus")


class EntitlementType(BaseModel):
    id: str = Field(alias="@id")
    pref_label: str = Field(alias="prefLabel")
    in_scheme: str = Field(alias="inScheme")


class Entitlement(BaseModel):
    id: str = Field(alias="@id")
    expires: datetime
    evidence_request: EvidenceRequestAction = Field(alias="evidenceRequest")
    entitlement_type: EntitlementType = Field(alias="entitlementType")


class Account(BaseModel):
    seller: Seller
    potential_action: list[Action] = Field(alias="potentialAction", default_factory=list)
    matching_email_exists: bool | None = Field(alias="imin:matchingEmailExists", default=None)
    date_linked: datetime | None = Field(alias="dateLinked", default=None)
    hidden_entitlements: bool | None = Field(alias="hiddenEntitlements", default=None)
    customer: Customer | None = None
    access_pass: AccessPass | None = Field(alias="accessPass", default=None)
    entitlement_errors: list[EntitlementError] = Field(alias="imin:entitlementUpdateErrors", default_factory=list)
    evidence_requests: list[Entitlement] = Field(alias="imin:evidenceRequests", default_factory=list)


class Accounts(BaseModel):
    entitlement_filter: str = Field(alias="imin:entitlementFilter")
    items: list[Account] = Field(alias="imin:item")


logger = Logger()
metrics = Metrics()
tracer = Tracer()
app = APIGatewayHttpResolver(enable_validation=True)
secrets = boto3.client("secretsmanager")
if "LINKS_TABLE" in os.environ:
    table = boto3.resource("dynamodb").Table(os.environ["LINKS_TABLE"])
if "IMIN_BASE_URL" in os.environ:
    import requests

    session = requests.Session()


@app.get("/v1/customers/<customer_identifier>/accounts")
@tracer.capture_method
def get_accounts(customer_identifier: str) -> Accounts:
    key = secrets.get_secret_value(SecretId=os.environ["IMIN_API_KEY_SECRET"])["SecretString"]
    path = os.environ["IMIN_ACCOUNTS_PATH"].replace("{customerIdentifier}", customer_identifier)
    response = session.get(os.environ["IMIN_BASE_URL"] + path, headers={"X-Api-Key": key}, timeout=8)
    response.raise_for_status()
    metrics.add_metric(name="AccountsRead", unit=MetricUnit.Count, value=1)
    logger.info("accounts read")
    return Accounts.model_validate(response.json())


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
