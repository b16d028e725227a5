"""Template parameters against the settings code: an invalid value must stop the deployment, not a function.

A pattern may be stricter than the code, because the code also runs locally (plain `http`), but never more lenient.
"""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from local.template import Template
from seller_accounts.settings import IdentitySettings, RedirectSettings, SettingsError, UpstreamSettings

PARAMETERS = Template().document["Parameters"]
ENVIRONMENT = {
    "IMIN_API_KEY_SECRET": "key",
    "ALLOWED_REDIRECT_URIS": "brokerapp://linked",
    "OIDC_ISSUER": "https://identity.example.com",
    "OIDC_AUDIENCE": "app",
}
SETTINGS_CLASSES: dict[str, tuple[str, Any]] = {
    "IMIN_BASE_URL": ("IminBaseUrl", UpstreamSettings),
    "IMIN_ACCOUNTS_PATH": ("IminAccountsPath", UpstreamSettings),
    "ALLOWED_REDIRECT_URIS": ("AllowedRedirectUris", RedirectSettings),
    "PUBLIC_BASE_URL": ("PublicBaseUrl", RedirectSettings),
    "OIDC_ISSUER": ("OidcIssuer", IdentitySettings),
}
VALID = {
    "IMIN_BASE_URL": ["https://book.imin.co", "https://imin.example.com:8443/a/b%20c/", "https://imin.example.com/a;b=c,d@e"],
    "IMIN_ACCOUNTS_PATH": [
        "/{customerIdentifier}",
        "/api/v2/customers/{customerIdentifier}/accounts",
        "/a.b~c_d-e/{customerIdentifier}/x",
    ],
    "ALLOWED_REDIRECT_URIS": [
        "brokerapp://linked",
        "brokerapp://linked,https://app.broker.example.com/linked",
        "https://app.example.com:8443/linked/a%20b, com.example.app:/linked,",
        "http://127.0.0.1:3000/",
        "http://localhost/linked,http://[::1]:8080/",
        "brokerapp:///linked",
        "https://app.example.com/(a)'b'$c&d",
    ],
    "PUBLIC_BASE_URL": ["", "https://api.example.com", "https://api.example.com:8443/base/"],
    "OIDC_ISSUER": [
        "https://identity.example.com",
        "https://identity.example.com/",
        "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_AbCdEfGhI",
    ],
}
INVALID = {
    "IMIN_BASE_URL": [
        "book.imin.co",
        "ftp://book.imin.co",
        "http://book.imin.co",
        "https://book.imin.co:0",
        "https://",
        "https://key@book.imin.co",
        "https://book.imin.co?x=1",
        "https://book.imin.co/?x=1",
        "https://book.imin.co/#x",
        "https://book.imin.co:port",
        "https://book.imin.co:99999",
        "https://[book.imin.co",
        "https://book.imin.co/a b",
        "https://book.imin.co/a%2",
        "https://book.imin.co/é",
    ],
    "IMIN_ACCOUNTS_PATH": [
        "/customers/accounts",
        "customers/{customerIdentifier}",
        "/{customerIdentifier}/{customerIdentifier}",
        "/a{customerIdentifier}",
        "/{customerIdentifier}?x=1",
        "/{customerIdentifier}/",
        "//{customerIdentifier}",
        "/a b/{customerIdentifier}",
        "/%41/{customerIdentifier}",
    ],
    "ALLOWED_REDIRECT_URIS": [
        ",",
        "/linked",
        "http://app.example.com/linked",
        "http://127.0.0.1.example.com/",
        "brokerapp://linked, javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https:///linked",
        "https:linked",
        "https://user@app.example.com/",
        "brokerapp://user@linked",
        "https://app.example.com/?x=1",
        "brokerapp://linked?x=1",
        "https://app.example.com/#x",
        "https://[app.example.com/",
        "broker app://linked",
        "1app://linked",
        "https://app.example.com/a%2",
    ],
    "PUBLIC_BASE_URL": [
        "//api.example.com",
        "http://api.example.com",
        "https://",
        "https://key@api.example.com",
        "https://api.example.com/?x=1",
    ],
    "OIDC_ISSUER": [
        "identity.example.com",
        "http://identity.example.com",
        "https://",
        "https://key@identity.example.com",
        "https://identity.example.com?x=1",
    ],
}
# Values that only the code accepts: those of the local stack, and valid but rare ones.
ONLY_IN_CODE = {
    "IMIN_BASE_URL": ["http://127.0.0.1:3002", " https://book.imin.co", "https://[::1]:8443"],
    "IMIN_ACCOUNTS_PATH": [" /{customerIdentifier}"],
    "ALLOWED_REDIRECT_URIS": ["BrokerApp://linked", "brokerapp:linked"],
    "PUBLIC_BASE_URL": ["http://127.0.0.1:3000"],
    "OIDC_ISSUER": ["http://127.0.0.1:3000/local"],
}


def _list_cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


def _is_deployable(name: str, value: str) -> bool:
    return re.fullmatch(PARAMETERS[SETTINGS_CLASSES[name][0]]["AllowedPattern"], value) is not None


def _read_setting(name: str, value: str) -> None:
    SETTINGS_CLASSES[name][1].from_environment(ENVIRONMENT | {name: value})


@pytest.mark.parametrize(("name", "value"), _list_cases(VALID))
def test_pattern_and_code_accept_a_valid_value(name: str, value: str) -> None:
    assert _is_deployable(name, value)
    _read_setting(name, value)


@pytest.mark.parametrize(("name", "value"), _list_cases(INVALID))
def test_pattern_and_code_reject_an_invalid_value(name: str, value: str) -> None:
    assert not _is_deployable(name, value)
    with pytest.raises(SettingsError, match=f"^{name}"):
        _read_setting(name, value)


@pytest.mark.parametrize(("name", "value"), _list_cases(ONLY_IN_CODE))
def test_pattern_is_stricter_than_the_code_for_local_values(name: str, value: str) -> None:
    assert not _is_deployable(name, value)
    _read_setting(name, value)


@pytest.mark.parametrize("name", ["IminBaseUrl", "IminAccountsPath", "PublicBaseUrl"])
def test_default_matches_its_own_pattern(name: str) -> None:
    assert re.fullmatch(PARAMETERS[name]["AllowedPattern"], PARAMETERS[name]["Default"])


@pytest.mark.parametrize(
    ("origins", "accepted"),
    [
        ("", True),
        ("https://app.example.com", True),
        ("https://app.example.com:8443,capacitor://localhost", True),
        ("ionic://localhost,https://localhost,http://localhost:8100", True),
        ("*", False),
        ("null", False),
        ("https://*.example.com", False),
        ("https://app.example.com/", False),
        ("https://app.example.com,", False),
        ("https://app.example.com, https://b.example.com", False),
        ("https://App.example.com", False),
        ("http://app.example.com", False),
        ("https://user@app.example.com", False),
        ("file://localhost", False),
        ("app.example.com", False),
    ],
)
def test_allowed_origins_are_schemes_with_a_host_and_no_path(origins: str, accepted: bool) -> None:
    assert bool(re.fullmatch(PARAMETERS["AllowedOrigins"]["AllowedPattern"], origins)) == accepted


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("OidcAudience", "seller-accounts", True),
        ("OidcAudience", "ios-client,android-client", True),
        ("OidcAudience", "", False),
        ("OidcAudience", "ios-client, android-client", False),
        ("OidcAudience", "ios-client,", False),
        ("AuthorizationScopes", "", True),
        ("AuthorizationScopes", "accounts.read,https://api.example.com/accounts", True),
        ("AuthorizationScopes", "a b", False),
        ("AuthorizationScopes", "a,b,c", False),
    ],
)
def test_lists_have_no_blanks_and_no_empty_entries(name: str, value: str, accepted: bool) -> None:
    assert bool(re.fullmatch(PARAMETERS[name]["AllowedPattern"], value)) == accepted


@pytest.mark.parametrize("name", SETTINGS_CLASSES)
def test_code_accepts_every_value_that_matches_the_pattern(name: str) -> None:
    @given(strategies.from_regex(f"(?a:{PARAMETERS[SETTINGS_CLASSES[name][0]]['AllowedPattern']})", fullmatch=True))
    @settings(suppress_health_check=list(HealthCheck))
    def check(value: str) -> None:
        _read_setting(name, value)

    check()
