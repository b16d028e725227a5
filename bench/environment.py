"""Environment variables of the functions as set by the template, with placeholders for values that a deployment sets."""

import os

from local.template import Function, Template

FUNCTIONS = Template().functions()
PLACEHOLDERS = {
    "ALLOWED_REDIRECT_URIS": "brokerapp://linked",
    "OIDC_AUDIENCE": "broker-app",
    "OIDC_ISSUER": "https://identity.example.com",
}
AWS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
VARIABLES = {**{name: value for function in FUNCTIONS for name, value in function.environment.items()}, **PLACEHOLDERS, **AWS}
"""The variables of all functions."""


def function_variables(function: Function, url: str) -> dict[str, str]:
    """Return the variables of one function, with imin and AWS at `url`."""
    placeholders = {**PLACEHOLDERS, "IMIN_BASE_URL": url}
    variables = {name: placeholders.get(name, value) for name, value in function.environment.items()}
    return {**variables, **AWS, "AWS_ENDPOINT_URL": url}
