"""The variables of the functions as the template sets them, with made-up values for what is set when they are deployed."""

import os

from local.template import Function, Template

FUNCTIONS = Template().functions()
MADE_UP = {
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
VARIABLES = {**{name: value for function in FUNCTIONS for name, value in function.environment.items()}, **MADE_UP, **AWS}
"""Those of all functions."""


def variables_of(function: Function, url: str) -> dict[str, str]:
    """Those of one function, with imin and AWS at `url`."""
    made_up = {**MADE_UP, "IMIN_BASE_URL": url}
    own = {name: made_up.get(name, value) for name, value in function.environment.items()}
    return {**own, **AWS, "AWS_ENDPOINT_URL": url}
