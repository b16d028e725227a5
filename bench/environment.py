"""The variables of all functions as the template sets them, with made-up values for what is set when they are deployed."""

import os

from local.template import Template

FUNCTIONS = Template().functions()
VARIABLES = {
    **{name: value for function in FUNCTIONS for name, value in function.environment.items()},
    "ALLOWED_REDIRECT_URIS": "brokerapp://linked",
    "OIDC_AUDIENCE": "broker-app",
    "OIDC_ISSUER": "https://identity.example.com",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
