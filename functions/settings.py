"""Settings from the environment: read once, checked at start, and named when they are missing or bad.

Each room takes the group that it needs, so that a function is given no variable that it does not read.
"""

import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

import msgspec

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")  # RFC 3986 2, without the fragment's "#"
MOST_REDIRECT_URI_CHARACTERS = 2048
WEB_SCHEMES_FORBIDDEN = frozenset(
    {"javascript", "data", "vbscript", "file", "blob", "about"}
)  # they run or read, never open an app


class SettingsError(Exception):
    """A setting is missing or bad; the message starts with its name."""


Environment = Mapping[str, str]


def _text(environment: Environment, name: str, default: str | None = None) -> str:
    value = environment.get(name, "").strip() or default
    if value is None:
        raise SettingsError(f"{name} is missing")
    return value


def _whole_number(environment: Environment, name: str, default: int, most: int) -> int:
    text = _text(environment, name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise SettingsError(f"{name} must be a whole number from 1 to {most}")
    return int(text)


def _web_url(environment: Environment, name: str, default: str | None = None) -> str:
    """An http(s) URL with a host, without query, fragment or credentials, and without a slash at its end."""
    value = _text(environment, name, default)
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"https", "http"} and parts.hostname and "@" not in parts.netloc and (parts.port or 1)
    except ValueError:
        good = False
    if not good or "?" in value or not URI_CHARACTERS.fullmatch(value):
        raise SettingsError(f"{name} must be an http or https URL without query, fragment or credentials")
    return value.rstrip("/")


def _redirect_uri(value: str) -> str:
    """One entry of ALLOWED_REDIRECT_URIS: https, an app's own scheme, or http on a loopback host (RFC 8252 7)."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    has_scheme = re.fullmatch(r"[a-z][a-z0-9+.-]*", parts.scheme) and parts.scheme not in WEB_SCHEMES_FORBIDDEN
    has_host = host in LOOPBACK_HOSTS if parts.scheme == "http" else bool(host) or parts.scheme != "https"
    if not (has_scheme and has_host and "@" not in parts.netloc and "?" not in value and URI_CHARACTERS.fullmatch(value)):
        raise SettingsError(
            f"ALLOWED_REDIRECT_URIS: {value!r} must be https, an app's own scheme or http on a loopback host, without query"
        )
    return value


class UpstreamSettings(msgspec.Struct, frozen=True):
    """Where imin is, and which secret holds the key that it wants."""

    base_url: str
    accounts_path: str
    api_key_secret: str

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingsError`."""
        path = _text(environment, "IMIN_ACCOUNTS_PATH", "/api/v2/customers/{customerIdentifier}/accounts")
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/\{customerIdentifier\}(/[A-Za-z0-9._~-]+)*", path):
            raise SettingsError("IMIN_ACCOUNTS_PATH must be an absolute path with one segment {customerIdentifier}")
        return cls(_web_url(environment, "IMIN_BASE_URL", "https://book.imin.co"), path, _text(environment, "IMIN_API_KEY_SECRET"))


class IdentitySettings(msgspec.Struct, frozen=True):
    """Whose tokens are good (an OIDC issuer and our audience), and which claim names the customer."""

    issuer: str
    audience: str
    customer_claim: str

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingsError`. The issuer is kept to the letter: `iss` is compared with it."""
        _web_url(environment, "OIDC_ISSUER")
        return cls(
            _text(environment, "OIDC_ISSUER"), _text(environment, "OIDC_AUDIENCE"), _text(environment, "CUSTOMER_CLAIM", "sub")
        )


class StateSettings(msgspec.Struct, frozen=True):
    """How the state of a link is signed, and how long it is good."""

    secret: str
    ttl_seconds: int

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingsError`."""
        ttl_seconds = _whole_number(environment, "LINK_TTL_SECONDS", 86400, most=30 * 86400)
        return cls(_text(environment, "LINK_STATE_SECRET"), ttl_seconds)


class StoreSettings(msgspec.Struct, frozen=True):
    """The table of records, and how long one is kept after it was last written."""

    table: str
    record_ttl_days: int

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingsError`."""
        return cls(_text(environment, "LINKS_TABLE"), _whole_number(environment, "RECORD_TTL_DAYS", 400, most=3660))


class WebhookSettings(msgspec.Struct, frozen=True):
    """Which secret holds the key that imin calls us with."""

    key_secret: str

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingsError`."""
        return cls(_text(environment, "IMIN_WEBHOOK_SECRET"))


class RedirectSettings(msgspec.Struct, frozen=True):
    """Where apps may want a customer back, and where browsers reach this API (None: at the domain that a request came to)."""

    allowed_uris: frozenset[str]
    public_base_url: str | None

    def allows(self, redirect_uri: str) -> bool:
        """Whether `redirect_uri`, its query aside, is an agreed one, to the letter (RFC 9700 2.1); it has no fragment."""
        base = redirect_uri.partition("?")[0]
        is_uri = URI_CHARACTERS.fullmatch(redirect_uri) and len(redirect_uri) <= MOST_REDIRECT_URI_CHARACTERS
        return bool(is_uri) and base in self.allowed_uris

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingsError`."""
        allowed = [uri.strip() for uri in _text(environment, "ALLOWED_REDIRECT_URIS").split(",") if uri.strip()]
        if not allowed:
            raise SettingsError("ALLOWED_REDIRECT_URIS names no URI")
        public_base_url = _web_url(environment, "PUBLIC_BASE_URL") if environment.get("PUBLIC_BASE_URL", "").strip() else None
        return cls(frozenset(map(_redirect_uri, allowed)), public_base_url)
