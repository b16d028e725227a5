"""Settings: defaults, accepted values, and errors that name the invalid setting."""

from typing import Any

import pytest

from seller_accounts.routes import accounts, link_callback, links, webhook
from seller_accounts.settings import (
    IdentitySettings,
    RedirectSettings,
    SettingsError,
    StateSettings,
    StoreSettings,
    UpstreamSettings,
    WebhookSettings,
)

VALID = {
    "IMIN_API_KEY_SECRET": "imin-key",
    "LINK_STATE_SECRET": "state-key",
    "ALLOWED_REDIRECT_URIS": "brokerapp://linked",
    "OIDC_ISSUER": "https://identity.example.com/",
    "OIDC_AUDIENCE": "broker-app",
    "LINKS_TABLE": "records",
    "IMIN_WEBHOOK_SECRET": "webhook-key",
}
READERS = {
    "IMIN_API_KEY_SECRET": [accounts, link_callback, links],
    "LINK_STATE_SECRET": [accounts, link_callback],
    "ALLOWED_REDIRECT_URIS": [accounts],
    "OIDC_ISSUER": [accounts, links],
    "OIDC_AUDIENCE": [accounts, links],
    "LINKS_TABLE": [link_callback, links, webhook],
    "IMIN_WEBHOOK_SECRET": [webhook],
}


def test_defaults_are_those_of_the_contract() -> None:
    assert UpstreamSettings.from_environment(VALID) == UpstreamSettings(
        "https://book.imin.co", "/api/v2/customers/{customerIdentifier}/accounts", "imin-key"
    )
    assert IdentitySettings.from_environment(VALID) == IdentitySettings(
        "https://identity.example.com/", frozenset({"broker-app"}), "sub"
    )
    assert StateSettings.from_environment(VALID) == StateSettings("state-key", 86400)
    assert RedirectSettings.from_environment(VALID) == RedirectSettings(frozenset({"brokerapp://linked"}), None)
    assert StoreSettings.from_environment(VALID) == StoreSettings("records", 400)
    assert WebhookSettings.from_environment(VALID) == WebhookSettings("webhook-key")


@pytest.mark.parametrize(("name", "function"), [(name, function) for name, functions in READERS.items() for function in functions])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_missing_setting_raises_with_its_name(name: str, function: Any, value: str | None) -> None:
    environment = {key: text for key, text in (VALID | {name: value}).items() if text is not None}
    with pytest.raises(SettingsError, match=rf"^{name} is missing$"):
        function.make_handler(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IMIN_BASE_URL", "book.imin.co"),
        ("IMIN_BASE_URL", "ftp://book.imin.co"),
        ("IMIN_BASE_URL", "https://"),
        ("IMIN_BASE_URL", "https://key@book.imin.co"),
        ("IMIN_BASE_URL", "https://book.imin.co?x=1"),
        ("IMIN_BASE_URL", "https://book.imin.co/#x"),
        ("IMIN_BASE_URL", "https://book.imin.co:port"),
        ("IMIN_BASE_URL", "https://[book.imin.co"),
        ("IMIN_BASE_URL", "https://book.imin.co/a b"),
        ("IMIN_BASE_URL", "https://book.imin.co:0"),
        ("IMIN_BASE_URL", "http://book.imin.co"),
        ("IMIN_BASE_URL", "http://localhost.example.com"),
        ("IMIN_BASE_URL", "http://8.8.8.8"),
        ("IMIN_BASE_URL", "http://0.0.0.0"),
        ("IMIN_BASE_URL", "http://172.32.0.1"),
        ("IMIN_BASE_URL", "http://[2001:4860:4860::8888]"),
        ("IMIN_ACCOUNTS_PATH", "/customers/accounts"),
        ("IMIN_ACCOUNTS_PATH", "customers/{customerIdentifier}"),
        ("IMIN_ACCOUNTS_PATH", "/{customerIdentifier}/{customerIdentifier}"),
        ("IMIN_ACCOUNTS_PATH", "/{customerIdentifier}?x=1"),
        ("OIDC_ISSUER", "identity.example.com"),
        ("OIDC_ISSUER", "http://identity.example.com"),
        ("OIDC_AUDIENCE", " , "),
        ("PUBLIC_BASE_URL", "//api.example.com"),
        ("PUBLIC_BASE_URL", "http://api.example.com"),
        ("LINK_TTL_SECONDS", "0"),
        ("LINK_TTL_SECONDS", "-1"),
        ("LINK_TTL_SECONDS", "1.5"),
        ("LINK_TTL_SECONDS", "a day"),
        ("LINK_TTL_SECONDS", "99999999"),
        ("LINK_TTL_SECONDS", "٣"),
        ("ALLOWED_REDIRECT_URIS", "http://app.example.com/linked"),
        ("ALLOWED_REDIRECT_URIS", "brokerapp://linked, javascript:alert(1)"),
        ("ALLOWED_REDIRECT_URIS", "https:///linked"),
        ("ALLOWED_REDIRECT_URIS", "https://user@app.example.com/"),
        ("ALLOWED_REDIRECT_URIS", "https://app.example.com/?x=1"),
        ("ALLOWED_REDIRECT_URIS", "https://app.example.com/#x"),
        ("ALLOWED_REDIRECT_URIS", "https://[app.example.com/"),
        ("ALLOWED_REDIRECT_URIS", "/linked"),
        ("ALLOWED_REDIRECT_URIS", "broker app://linked"),
        ("ALLOWED_REDIRECT_URIS", ","),
    ],
)
def test_invalid_setting_raises_with_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}"):
        accounts.make_handler(VALID | {name: value})


@pytest.mark.parametrize("value", ["0", "3661", "a year"])
def test_invalid_record_ttl_raises_with_its_name(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^RECORD_TTL_DAYS"):
        webhook.make_handler(VALID | {"RECORD_TTL_DAYS": value})


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com",
        "https://app.example.com:8443/linked",
        "com.example.app:/linked",
        "http://127.0.0.1:3000/",
        "http://[::1]/",
    ],
)
def test_https_custom_scheme_and_loopback_redirect_uris_are_accepted(uri: str) -> None:
    settings = RedirectSettings.from_environment(VALID | {"ALLOWED_REDIRECT_URIS": f" brokerapp://linked ,{uri},"})
    assert settings.allowed_uris == {"brokerapp://linked", uri}
    assert settings.allows(f"{uri}?a=b")


@pytest.mark.parametrize(("name", "minimum", "maximum"), [("LINK_TTL_SECONDS", 1, 2_592_000), ("RECORD_TTL_DAYS", 1, 3_660)])
def test_number_is_accepted_only_within_its_limits(name: str, minimum: int, maximum: int) -> None:
    for valid in (minimum, maximum):
        environment = VALID | {name: str(valid)}
        ttl_seconds = StateSettings.from_environment(environment).ttl_seconds if name == "LINK_TTL_SECONDS" else None
        assert (ttl_seconds or StoreSettings.from_environment(environment).record_ttl_days) == valid
    for invalid in (minimum - 1, maximum + 1):
        with pytest.raises(SettingsError, match=f"^{name}"):
            (StateSettings if name == "LINK_TTL_SECONDS" else StoreSettings).from_environment(VALID | {name: str(invalid)})


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "10.0.0.1", "172.17.0.1", "172.31.255.255", "192.168.1.5", "[fd00::1]"]
)
def test_http_base_url_is_accepted_for_loopback_and_private_addresses(host: str) -> None:
    url = f"http://{host}:3002"
    assert UpstreamSettings.from_environment(VALID | {"IMIN_BASE_URL": url}).base_url == url


@pytest.mark.parametrize("value", ["ios-app,android-app", " ios-app , android-app,", "android-app,ios-app,ios-app"])
def test_several_audiences_are_separated_by_commas(value: str) -> None:
    assert IdentitySettings.from_environment(VALID | {"OIDC_AUDIENCE": value}).audiences == {"ios-app", "android-app"}


def test_customer_claim_can_be_configured() -> None:
    assert IdentitySettings.from_environment(VALID | {"CUSTOMER_CLAIM": "customer"}).customer_claim == "customer"


def test_trailing_slash_of_a_base_url_is_dropped() -> None:
    assert (
        UpstreamSettings.from_environment(VALID | {"IMIN_BASE_URL": "https://imin.example.com/X/"}).base_url
        == "https://imin.example.com/X"
    )
    assert (
        RedirectSettings.from_environment(VALID | {"PUBLIC_BASE_URL": "http://127.0.0.1:3000/"}).public_base_url
        == "http://127.0.0.1:3000"
    )
