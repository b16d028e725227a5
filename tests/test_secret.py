"""Secrets: accepted formats, caching, rotation, and failures of Secrets Manager."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from seller_accounts.aws.secret import Secret
from seller_accounts.http.problems import Problem
from tests.conftest import Output


class SecretsManager:
    """A fake Secrets Manager with one secret; every call raises `error` if it is set."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.previous: str | None = None
        self.error: Exception | None = None
        self.failing_stage: str | None = None
        self.requested_stages: list[str] = []

    def get_secret_value(self, **params: str) -> dict[str, str]:
        self.requested_stages.append(params["VersionStage"])
        if self.error:
            raise self.error
        if params["VersionStage"] == self.failing_stage:
            raise FAILURES[0]
        if params["VersionStage"] == "AWSCURRENT":
            return {"SecretString": self.text}
        if self.previous is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.previous}

    def rotate(self, text: str) -> None:
        """Make `text` the current version."""
        self.text, self.previous = text, self.text


class SecretSetup:
    """A secret with its Secrets Manager and its clock."""

    def __init__(self, text: str = "key") -> None:
        self.manager = SecretsManager(text)
        self.now = 1000.0
        client: Any = self.manager
        self.secret = Secret(client, "name", lambda: self.now)


@pytest.mark.parametrize(
    "text",
    [
        "key",
        " key\n",
        '{"apiKey": "key"}',
        '{"key": "key", "other": 5}',
        '{"apiKey": "", "key": "key"}',
        '{"apiKey": " ", "key": " key "}',
        '{"apiKey": null, "key": "key"}',
        '{"apiKey": 5, "key": "key"}',
        '{"apiKey": {"a": 1}, "key": "key"}',
        '{"apiKey": "key", "key": null}',
    ],
)
def test_secret_is_a_plain_string_or_json(text: str) -> None:
    assert SecretSetup(text).secret.value() == "key"


@pytest.mark.parametrize(
    "text", ["", " ", "{}", '{"apiKey": 5}', '{"apiKey"', "two words", "kéy", "key\r\nX: y", '{"key": "a\\nb"}']
)
def test_invalid_key_is_unavailable(text: str) -> None:
    with pytest.raises(Problem) as caught:
        SecretSetup(text).secret.value()
    assert caught.value.code == "secret_unavailable"


def test_binary_secret_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = SecretSetup()
    monkeypatch.setattr(setup.manager, "get_secret_value", lambda **_: {"SecretBinary": b"key"})
    with pytest.raises(Problem, match="unavailable"):
        setup.secret.value()


def test_secret_is_cached_for_five_minutes() -> None:
    setup = SecretSetup()
    setup.secret.value()
    setup.manager.text = "rotated"
    setup.now += 299.9
    assert setup.secret.value() == "key"
    setup.now += 0.1
    assert setup.secret.value() == "rotated"
    assert len(setup.manager.requested_stages) == 2


FAILURES = [
    ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue"),
    ConnectTimeoutError(endpoint_url="https://x"),
]


@pytest.mark.parametrize("error", FAILURES)
def test_cached_value_stays_in_use_while_secrets_manager_fails(error: Exception, output: Output) -> None:
    setup = SecretSetup()
    setup.secret.value()
    setup.manager.error = error
    setup.now += 300
    assert [setup.secret.value(), setup.secret.value()] == ["key", "key"]
    assert len(setup.manager.requested_stages) == 2
    assert "stale_secret_used" in output.text()

    setup.manager.error = None
    setup.manager.text = "rotated"
    setup.now += 30
    assert setup.secret.value() == "rotated"


@pytest.mark.parametrize("error", FAILURES)
def test_uncached_secret_is_unavailable_until_secrets_manager_is_back(error: Exception) -> None:
    setup = SecretSetup()
    setup.manager.error = error
    with pytest.raises(Problem) as caught:
        setup.secret.value()
    assert (caught.value.code, caught.value.retry_after_seconds) == ("secret_unavailable", 5)
    setup.manager.error = None
    assert setup.secret.value() == "key"


class TestVersions:
    def test_secret_without_rotation_has_one_version(self) -> None:
        assert SecretSetup().secret.versions() == ["key"]

    def test_previous_version_precedes_the_current_one(self) -> None:
        setup = SecretSetup("old")
        setup.manager.rotate("new")
        assert setup.secret.versions() == ["old", "new"]
        assert setup.secret.value() == "new"

    def test_versions_are_cached_for_five_minutes(self) -> None:
        setup = SecretSetup("old")
        setup.secret.versions()
        setup.manager.rotate("new")
        setup.now += 299
        assert setup.secret.versions() == ["old"]
        setup.now += 1
        assert setup.secret.versions() == ["old", "new"]

    def test_unknown_key_refreshes_at_most_once_in_ten_seconds(self) -> None:
        setup = SecretSetup("old")
        setup.secret.versions()
        setup.manager.rotate("new")
        assert setup.secret.refresh_if_due()
        assert setup.secret.versions() == ["old", "new"]
        setup.manager.rotate("newer")
        setup.now += 9.9
        assert not setup.secret.refresh_if_due()
        assert setup.secret.versions() == ["old", "new"]
        setup.now += 0.1
        assert setup.secret.refresh_if_due()
        assert setup.secret.versions() == ["new", "newer"]

    def test_cached_versions_stay_in_use_while_secrets_manager_fails(self) -> None:
        setup = SecretSetup("old")
        setup.manager.rotate("new")
        setup.secret.versions()
        setup.manager.error = FAILURES[0]
        setup.now += 300
        assert setup.secret.versions() == ["old", "new"]
        with pytest.raises(Problem):
            setup.secret.refresh_if_due()

    def test_failed_refresh_raises_instead_of_rejecting_a_rotated_key(self) -> None:
        setup = SecretSetup("old")
        setup.secret.versions()
        setup.manager.rotate("new")
        setup.manager.error = FAILURES[0]
        for _ in range(2):
            with pytest.raises(Problem):
                setup.secret.refresh_if_due()
        assert len(setup.manager.requested_stages) == 3, "a failed refresh allows no further call for ten seconds"
        setup.manager.error = None
        setup.now += 10
        assert setup.secret.refresh_if_due()
        assert not setup.secret.refresh_if_due()

    def test_cached_versions_survive_a_partial_refresh(self) -> None:
        setup = SecretSetup("old")
        setup.manager.rotate("new")
        setup.secret.versions()
        setup.manager.failing_stage = "AWSPREVIOUS"
        with pytest.raises(Problem):
            setup.secret.refresh_if_due()
        assert setup.secret.versions() == ["old", "new"]

    @pytest.mark.parametrize("previous", ["", "a typo", "{", '{"apiKey": null}', '{"key": 5}', "{" + '"a":[' * 5000])
    def test_previous_version_without_a_key_leaves_the_current_one(self, previous: str) -> None:
        setup = SecretSetup(previous)
        setup.manager.rotate("good")
        assert setup.secret.versions() == ["good"]
        assert setup.secret.value() == "good"

    def test_binary_previous_version_leaves_the_current_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        setup = SecretSetup("good")
        text: dict[str, Any] = {"SecretString": "good"}
        versions = {"AWSCURRENT": text, "AWSPREVIOUS": {"SecretBinary": b"key"}}
        monkeypatch.setattr(setup.manager, "get_secret_value", lambda **params: versions[params["VersionStage"]])
        assert setup.secret.versions() == ["good"]

    def test_response_without_a_text_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        setup = SecretSetup("good")
        versions: dict[str, Any] = {"AWSCURRENT": {"SecretString": "good"}, "AWSPREVIOUS": {}}
        monkeypatch.setattr(setup.manager, "get_secret_value", lambda **params: versions[params["VersionStage"]])
        with pytest.raises(Problem):
            setup.secret.versions()

    def test_unavailable_previous_version_is_not_ignored(self) -> None:
        setup = SecretSetup("old")
        setup.manager.rotate("new")
        setup.manager.failing_stage = "AWSPREVIOUS"
        with pytest.raises(Problem):
            setup.secret.versions()
