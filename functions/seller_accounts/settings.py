"""Settings from the environment: read once, checked at start, and named when they are missing or bad.

Each room takes the group that it needs, so that a function is given no variable that it does not read.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

import msgspec

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")  # RFC 3986 2, without the fragment's "#"
MAX_REDIRECT_URI_CHARACTERS = 2048
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


def _list(environment: Environment, name: str) -> list[str]:
    """Read the members of a comma-separated list, at least one."""
    members = [member.strip() for member in _text(environment, name).split(",") if member.strip()]
    if not members:
        raise SettingsError(f"{name} must have at least one member")
    return members


def _whole_number(environment: Environment, name: str, default: int, most: int) -> int:
    text = _text(environment, name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise SettingsError(f"{name} must be a whole number from 1 to {most}")
    return int(text)


def _web_url(environment: Environment, name: str, default: str | None = None) -> str:
    """Read a URL with a host, without query, fragment or credentials, and strip slashes at its end.

    It is https, or plain http for a loopback or private address: keys, tokens and states travel by it.
    """
    value = _text(environment, name, default)
    if not _is_web_url(value):
        raise SettingsError(
            f"{name} must be an https URL without query, fragment or credentials (or http for a loopback or private address)"
        )
    return value.rstrip("/")


def _is_web_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or "@" in parts.netloc:
        return False
    if "?" in value or not URI_CHARACTERS.fullmatch(value):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_near(host))


def _is_near(host: str) -> bool:
    """Whether what is sent to `host` stays on this machine or in a private network."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or (address.is_private and not address.is_unspecified)


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


def check_telemetry(environment: Environment) -> None:
    """Check what Powertools reads by itself, and would only miss at the first metric. Raises `SettingsError`."""
    for name in ("POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"):
        _text(environment, name)


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
    """Whose tokens are valid (an OIDC issuer), for which audiences, and which claim names the customer."""

    issuer: str
    audiences: frozenset[str]
    customer_claim: str

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingsError`. The issuer is kept exactly: `iss` is compared with it."""
        _web_url(environment, "OIDC_ISSUER")
        audiences = frozenset(_list(environment, "OIDC_AUDIENCE"))
        return cls(_text(environment, "OIDC_ISSUER"), audiences, _text(environment, "CUSTOMER_CLAIM", "sub"))


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
        is_uri = URI_CHARACTERS.fullmatch(redirect_uri) and len(redirect_uri) <= MAX_REDIRECT_URI_CHARACTERS
        return bool(is_uri) and base in self.allowed_uris

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingsError`."""
        allowed = _list(environment, "ALLOWED_REDIRECT_URIS")
        public_base_url = _web_url(environment, "PUBLIC_BASE_URL") if environment.get("PUBLIC_BASE_URL", "").strip() else None
        return cls(frozenset(map(_redirect_uri, allowed)), public_base_url)
