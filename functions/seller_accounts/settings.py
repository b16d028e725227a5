"""Settings from environment variables, read and checked once, in the init phase.

Each module reads only its own settings group, so a function is never given variables it doesn't use.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import SplitResult, urlsplit

import msgspec

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")  # RFC 3986 2, without the fragment's "#"
MAX_REDIRECT_URI_CHARACTERS = 2048
FORBIDDEN_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})  # a browser opens them itself


class SettingsError(Exception):
    """A setting is missing or invalid; the message starts with its name."""


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


def _whole_number(environment: Environment, name: str, default: int, maximum: int) -> int:
    text = _text(environment, name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= maximum:
        raise SettingsError(f"{name} must be a whole number from 1 to {maximum}")
    return int(text)


def _web_url(environment: Environment, name: str, default: str | None = None) -> str:
    """Read a URL and strip its trailing slashes. Raises `SettingsError` unless `_is_web_url`."""
    value = _text(environment, name, default)
    if not _is_web_url(value):
        raise SettingsError(
            f"{name} must be an https URL without query, fragment or credentials (or http for a loopback or private address)"
        )
    return value.rstrip("/")


def _is_web_url(value: str) -> bool:
    """Whether a URL with a host, but no query, fragment or credentials, may carry keys, tokens and states."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or not _is_plain(value, parts):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_private(host))


def _is_plain(value: str, parts: SplitResult) -> bool:
    """Whether a URI has no credentials, no query, and only characters of RFC 3986 other than "#", so no fragment."""
    return "@" not in parts.netloc and "?" not in value and URI_CHARACTERS.fullmatch(value) is not None


def _is_private(host: str) -> bool:
    """Whether `host` is this machine or an address of a private network."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or (address.is_private and not address.is_unspecified)


def _redirect_uri(value: str) -> str:
    if not _is_redirect_uri(value):
        raise SettingsError(
            f"ALLOWED_REDIRECT_URIS: {value!r} must be https, an app's own scheme or http on a loopback host, without query"
        )
    return value


def _is_redirect_uri(value: str) -> bool:
    """Whether a URI is https, has an app's own scheme, or is http on a loopback host (RFC 8252 7)."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return False
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*", parts.scheme) or parts.scheme in FORBIDDEN_SCHEMES:
        return False
    if not _is_plain(value, parts):
        return False
    if parts.scheme == "http":
        return host in LOOPBACK_HOSTS
    return bool(host) or parts.scheme != "https"


def check_telemetry(environment: Environment) -> None:
    """Check the settings of Powertools, which itself notices them only at the first metric. Raises `SettingsError`."""
    for name in ("POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"):
        _text(environment, name)


class UpstreamSettings(msgspec.Struct, frozen=True):
    """imin's URL, and the secret with its API key."""

    base_url: str
    accounts_path: str
    api_key_secret: str

    @classmethod
    def from_environment(cls, environment: Environment) -> Self:
        """Read the group. Raises `SettingsError`."""
        path = _text(environment, "IMIN_ACCOUNTS_PATH", "/api/v2/customers/{customerIdentifier}/accounts")
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/\{customerIdentifier\}(/[A-Za-z0-9._~-]+)*", path):
            raise SettingsError("IMIN_ACCOUNTS_PATH must be an absolute path with one segment {customerIdentifier}")
        return cls(_web_url(environment, "IMIN_BASE_URL", "https://book.imin.co"), path, _text(environment, "IMIN_API_KEY_SECRET"))


class IdentitySettings(msgspec.Struct, frozen=True):
    """The OIDC issuer whose tokens are accepted, their audiences, and the claim with the customer identifier."""

    issuer: str
    audiences: frozenset[str]
    customer_claim: str

    @classmethod
    def from_environment(cls, environment: Environment) -> Self:
        """Read the group. The issuer stays exactly as set, because `iss` is compared with it. Raises `SettingsError`."""
        _web_url(environment, "OIDC_ISSUER")
        audiences = frozenset(_list(environment, "OIDC_AUDIENCE"))
        return cls(_text(environment, "OIDC_ISSUER"), audiences, _text(environment, "CUSTOMER_CLAIM", "sub"))


class StateSettings(msgspec.Struct, frozen=True):
    """The secret that signs the state of a link, and how long a state is valid."""

    secret: str
    ttl_seconds: int

    @classmethod
    def from_environment(cls, environment: Environment) -> Self:
        """Read the group. Raises `SettingsError`."""
        ttl_seconds = _whole_number(environment, "LINK_TTL_SECONDS", 86400, maximum=30 * 86400)
        return cls(_text(environment, "LINK_STATE_SECRET"), ttl_seconds)


class StoreSettings(msgspec.Struct, frozen=True):
    """The table of records, and how long a record is kept after its last callback, its confirmation without one, or its arrival."""

    table: str
    record_ttl_days: int

    @classmethod
    def from_environment(cls, environment: Environment) -> Self:
        """Read the group. Raises `SettingsError`."""
        return cls(_text(environment, "LINKS_TABLE"), _whole_number(environment, "RECORD_TTL_DAYS", 400, maximum=3660))


class WebhookSettings(msgspec.Struct, frozen=True):
    """The secret with the key that imin sends with a notice."""

    key_secret: str

    @classmethod
    def from_environment(cls, environment: Environment) -> Self:
        """Read the group. Raises `SettingsError`."""
        return cls(_text(environment, "IMIN_WEBHOOK_SECRET"))


class RedirectSettings(msgspec.Struct, frozen=True):
    """The redirect URIs of apps, and the public URL of this API (None: the domain name of the request)."""

    allowed_uris: frozenset[str]
    public_base_url: str | None

    def allows(self, redirect_uri: str) -> bool:
        """Whether `redirect_uri` without its query equals an allowed URI exactly (RFC 9700 2.1); a fragment is rejected."""
        if len(redirect_uri) > MAX_REDIRECT_URI_CHARACTERS or not URI_CHARACTERS.fullmatch(redirect_uri):
            return False
        return redirect_uri.partition("?")[0] in self.allowed_uris

    @classmethod
    def from_environment(cls, environment: Environment) -> Self:
        """Read the group. Raises `SettingsError`."""
        allowed = _list(environment, "ALLOWED_REDIRECT_URIS")
        public_base_url = _web_url(environment, "PUBLIC_BASE_URL") if environment.get("PUBLIC_BASE_URL", "").strip() else None
        return cls(frozenset(map(_redirect_uri, allowed)), public_base_url)
