"""Secrets: how they may be written, how long they are kept, what happens when Secrets Manager fails."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from seller_accounts.aws.secret import Secret
from seller_accounts.http.problems import Problem
from tests.conftest import Output


class SecretsManager:
    """Secrets Manager with one secret; `error` is what it fails with."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.previous: str | None = None
        self.error: Exception | None = None
        self.failing_stage: str | None = None
        self.asked: list[str] = []

    def get_secret_value(self, **wanted: str) -> dict[str, str]:
        self.asked.append(wanted["VersionStage"])
        if self.error:
            raise self.error
        if wanted["VersionStage"] == self.failing_stage:
            raise FAILURES[0]
        if wanted["VersionStage"] == "AWSCURRENT":
            return {"SecretString": self.text}
        if self.previous is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.previous}

    def rotate(self, text: str) -> None:
        """Make `text` the current version."""
        self.text, self.previous = text, self.text


class Kept:
    """A secret, its Secrets Manager and its clock."""

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
    assert Kept(text).secret.value() == "key"


@pytest.mark.parametrize(
    "text", ["", " ", "{}", '{"apiKey": 5}', '{"apiKey"', "two words", "kéy", "key\r\nX: y", '{"key": "a\\nb"}']
)
def test_invalid_key_is_unavailable(text: str) -> None:
    with pytest.raises(Problem) as caught:
        Kept(text).secret.value()
    assert caught.value.code == "secret_unavailable"


def test_binary_secret_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    monkeypatch.setattr(kept.manager, "get_secret_value", lambda **_: {"SecretBinary": b"key"})
    with pytest.raises(Problem, match="unavailable"):
        kept.secret.value()


def test_secret_is_cached_for_five_minutes() -> None:
    kept = Kept()
    kept.secret.value()
    kept.manager.text = "rotated"
    kept.now += 299.9
    assert kept.secret.value() == "key"
    kept.now += 0.1
    assert kept.secret.value() == "rotated"
    assert len(kept.manager.asked) == 2


FAILURES = [
    ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue"),
    ConnectTimeoutError(endpoint_url="https://x"),
]


@pytest.mark.parametrize("error", FAILURES)
def test_cached_value_stays_in_use_while_secrets_manager_fails(error: Exception, output: Output) -> None:
    kept = Kept()
    kept.secret.value()
    kept.manager.error = error
    kept.now += 300
    assert [kept.secret.value(), kept.secret.value()] == ["key", "key"]
    assert len(kept.manager.asked) == 2
    assert "stale_secret_used" in output.text()

    kept.manager.error = None
    kept.manager.text = "rotated"
    kept.now += 30
    assert kept.secret.value() == "rotated"


@pytest.mark.parametrize("error", FAILURES)
def test_uncached_secret_is_unavailable_until_secrets_manager_is_back(error: Exception) -> None:
    kept = Kept()
    kept.manager.error = error
    with pytest.raises(Problem) as caught:
        kept.secret.value()
    assert (caught.value.code, caught.value.retry_after_seconds) == ("secret_unavailable", 5)
    kept.manager.error = None
    assert kept.secret.value() == "key"


class TestVersions:
    def test_secret_without_rotation_has_one_version(self) -> None:
        assert Kept().secret.versions() == ["key"]

    def test_previous_version_precedes_the_current_one(self) -> None:
        kept = Kept("old")
        kept.manager.rotate("new")
        assert kept.secret.versions() == ["old", "new"]
        assert kept.secret.value() == "new"

    def test_versions_are_cached_for_five_minutes(self) -> None:
        kept = Kept("old")
        kept.secret.versions()
        kept.manager.rotate("new")
        kept.now += 299
        assert kept.secret.versions() == ["old"]
        kept.now += 1
        assert kept.secret.versions() == ["old", "new"]

    def test_unknown_key_refreshes_at_most_once_in_ten_seconds(self) -> None:
        kept = Kept("old")
        kept.secret.versions()
        kept.manager.rotate("new")
        assert kept.secret.refresh_if_due()
        assert kept.secret.versions() == ["old", "new"]
        kept.manager.rotate("newer")
        kept.now += 9.9
        assert not kept.secret.refresh_if_due()
        assert kept.secret.versions() == ["old", "new"]
        kept.now += 0.1
        assert kept.secret.refresh_if_due()
        assert kept.secret.versions() == ["new", "newer"]

    def test_cached_versions_stay_in_use_while_secrets_manager_fails(self) -> None:
        kept = Kept("old")
        kept.manager.rotate("new")
        kept.secret.versions()
        kept.manager.error = FAILURES[0]
        kept.now += 300
        assert kept.secret.versions() == ["old", "new"]
        with pytest.raises(Problem):
            kept.secret.refresh_if_due()

    def test_failed_refresh_does_not_make_a_rotated_key_wrong(self) -> None:
        kept = Kept("old")
        kept.secret.versions()
        kept.manager.rotate("new")
        kept.manager.error = FAILURES[0]
        for _ in range(2):
            with pytest.raises(Problem):
                kept.secret.refresh_if_due()
        assert len(kept.manager.asked) == 3, "Secrets Manager is asked no oftener for it"
        kept.manager.error = None
        kept.now += 10
        assert kept.secret.refresh_if_due()
        assert not kept.secret.refresh_if_due()

    def test_cached_versions_survive_a_partial_refresh(self) -> None:
        kept = Kept("old")
        kept.manager.rotate("new")
        kept.secret.versions()
        kept.manager.failing_stage = "AWSPREVIOUS"
        with pytest.raises(Problem):
            kept.secret.refresh_if_due()
        assert kept.secret.versions() == ["old", "new"]

    @pytest.mark.parametrize("previous", ["", "a typo", "{", '{"apiKey": null}', '{"key": 5}', "{" + '"a":[' * 5000])
    def test_previous_version_without_a_key_leaves_the_current_one(self, previous: str) -> None:
        kept = Kept(previous)
        kept.manager.rotate("good")
        assert kept.secret.versions() == ["good"]
        assert kept.secret.value() == "good"

    def test_binary_previous_version_leaves_the_current_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = Kept("good")
        text: dict[str, Any] = {"SecretString": "good"}
        versions = {"AWSCURRENT": text, "AWSPREVIOUS": {"SecretBinary": b"key"}}
        monkeypatch.setattr(kept.manager, "get_secret_value", lambda **wanted: versions[wanted["VersionStage"]])
        assert kept.secret.versions() == ["good"]

    def test_response_without_a_version_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = Kept("good")
        versions: dict[str, Any] = {"AWSCURRENT": {"SecretString": "good"}, "AWSPREVIOUS": {}}
        monkeypatch.setattr(kept.manager, "get_secret_value", lambda **wanted: versions[wanted["VersionStage"]])
        with pytest.raises(Problem):
            kept.secret.versions()

    def test_unavailable_previous_version_is_not_ignored(self) -> None:
        kept = Kept("old")
        kept.manager.rotate("new")
        kept.manager.failing_stage = "AWSPREVIOUS"
        with pytest.raises(Problem):
            kept.secret.versions()
