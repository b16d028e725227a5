"""The checks before the local stack starts, and the shortened log of its functions."""

import json

import pytest

from local.function_log import shorten
from local.start_checks import check_ports, misspelt_settings
from tests.loopback import respond, serve

KNOWN = ["IMIN_BASE_URL", "LINKS_TABLE", "ALLOWED_REDIRECT_URIS", "LINK_TTL_SECONDS", "OIDC_ISSUER"]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("IMIN_BASEURL", "IMIN_BASE_URL"),
        ("LINK_TABLE", "LINKS_TABLE"),
        ("ALLOWED_REDIRECT_URI", "ALLOWED_REDIRECT_URIS"),
        ("allowed_redirect_uris", "ALLOWED_REDIRECT_URIS"),
        ("AWS_PROT", "AWS_PORT"),
        ("OIDC_ISUER", "OIDC_ISSUER"),
    ],
)
def test_misspelt_setting_is_reported(name: str, suggestion: str) -> None:
    assert misspelt_settings([name], KNOWN) == {name: suggestion}


@pytest.mark.parametrize(
    "name", ["PATH", "HOST", "AWS_PROFILE", "AWS_ENDPOINT_URL_DYNAMODB", "POWERTOOLS_LOG_LEVEL", "LOGNAME", *KNOWN]
)
def test_other_names_are_not_reported(name: str) -> None:
    assert misspelt_settings([name], KNOWN) == {}


@pytest.mark.external
def test_port_in_use_is_reported_with_its_setting() -> None:
    with serve(respond(b"")) as other:
        port = int(other.url.rpartition(":")[2])
        with pytest.raises(OSError, match=rf"AWS_PORT: port {port} is in use, most likely by another `make start`"):
            check_ports("127.0.0.1", {"AWS_PORT": port})


@pytest.mark.external
def test_two_settings_with_one_port_are_reported() -> None:
    with pytest.raises(OSError, match="IMIN_PORT and PORT are both 39999"):
        check_ports("127.0.0.1", {"PORT": 39999, "IMIN_PORT": 39999})


@pytest.mark.parametrize(
    ("entry", "shortened"),
    [
        ({"level": "INFO", "message": "request", "status": 200}, ""),
        ({"level": "INFO", "message": "request", "code": "forbidden"}, "  forbidden"),
        ({"level": "WARNING", "message": "stale_secret_used", "errors": ["A", "B"]}, "  stale_secret_used: ['A', 'B']"),
        ({"level": "INFO", "code": "redirect_uri_not_allowed"}, "  redirect_uri_not_allowed: allowed, compared exactly: a://b"),
        ({"_aws": {}}, ""),
    ],
)
def test_log_entry_is_shortened(entry: dict[str, object], shortened: str) -> None:
    assert shorten(json.dumps(entry) + "\n", {"ALLOWED_REDIRECT_URIS": "a://b"}) == shortened


def test_line_that_is_not_json_is_shown_unchanged() -> None:
    assert shorten("Traceback (most recent call last):\n", {}) == "Traceback (most recent call last):"
