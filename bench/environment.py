"""The environment of the accounts function as the template sets it, with made-up values for what is set when it is deployed."""

import os

from local.template import Template

(FUNCTION,) = (function for function in Template().functions() if function.name == "AccountsFunction")
VARIABLES = {
    **FUNCTION.environment,
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
