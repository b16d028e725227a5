"""Secrets: how they may be written, how long they are kept, what happens when Secrets Manager fails."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from problems import Problem
from secret import Secret
from tests.conftest import Output


class SecretsManager:
    """Secrets Manager with one secret; `error` is what it fails with."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.error: Exception | None = None
        self.asked = 0

    def get_secret_value(self, **_wanted: str) -> dict[str, str]:
        self.asked += 1
        if self.error:
            raise self.error
        return {"SecretString": self.text}


class Kept:
    """A secret, its Secrets Manager and its clock."""

    def __init__(self, text: str = "key") -> None:
        self.manager = SecretsManager(text)
        self.now = 1000.0
        client: Any = self.manager
        self.secret = Secret(client, "name", lambda: self.now)


@pytest.mark.parametrize(
    "text", ["key", " key\n", '{"apiKey": "key"}', '{"key": "key", "other": 5}', '{"apiKey": "", "key": "key"}']
)
def test_a_secret_is_a_plain_string_or_json(text: str) -> None:
    assert Kept(text).secret.value() == "key"


@pytest.mark.parametrize(
    "text", ["", " ", "{}", '{"apiKey": 5}', '{"apiKey"', "two words", "kéy", "key\r\nX: y", '{"key": "a\\nb"}']
)
def test_what_can_be_no_key_is_unavailable(text: str) -> None:
    with pytest.raises(Problem) as caught:
        Kept(text).secret.value()
    assert caught.value.code == "secret_unavailable"


def test_a_binary_secret_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    monkeypatch.setattr(kept.manager, "get_secret_value", lambda **_: {"SecretBinary": b"key"})
    with pytest.raises(Problem, match="can't be had"):
        kept.secret.value()


def test_it_is_kept_for_five_minutes_and_no_longer() -> None:
    kept = Kept()
    kept.secret.value()
    kept.manager.text = "rotated"
    kept.now += 299.9
    assert kept.secret.value() == "key"
    kept.now += 0.1
    assert kept.secret.value() == "rotated"
    assert kept.manager.asked == 2


FAILURES = [
    ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue"),
    ConnectTimeoutError(endpoint_url="https://x"),
]


@pytest.mark.parametrize("error", FAILURES)
def test_while_secrets_manager_fails_a_known_value_is_used_on_and_asked_for_again_later(error: Exception, output: Output) -> None:
    kept = Kept()
    kept.secret.value()
    kept.manager.error = error
    kept.now += 300
    assert [kept.secret.value(), kept.secret.value()] == ["key", "key"]
    assert kept.manager.asked == 2
    assert "stale_secret_used" in output.text()

    kept.manager.error = None
    kept.manager.text = "rotated"
    kept.now += 30
    assert kept.secret.value() == "rotated"


@pytest.mark.parametrize("error", FAILURES)
def test_without_a_known_value_it_is_unavailable_until_it_can_be_had(error: Exception) -> None:
    kept = Kept()
    kept.manager.error = error
    with pytest.raises(Problem) as caught:
        kept.secret.value()
    assert (caught.value.code, caught.value.retry_after_seconds) == ("secret_unavailable", 5)
    kept.manager.error = None
    assert kept.secret.value() == "key"
