"""The stages in `samconfig.toml`: each sets only parameters of the template, and to valid values."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from local.stage import main
from local.template import Template

RELEASE = "file://.aws-sam/build/deployment.yaml"  # written by `make deploy`
PARAMETERS: dict[str, dict[str, Any]] = Template().document["Parameters"]
STAGES: dict[str, Any] = tomllib.loads((Path(__file__).parent.parent / "samconfig.toml").read_text())
del STAGES["version"]


def _read_settings(stage: str) -> dict[str, str]:
    release, *overrides = STAGES[stage]["deploy"]["parameters"]["parameter_overrides"]
    assert release == RELEASE
    return dict(override.split("=", 1) for override in overrides)


def test_every_stage_has_its_own_stack_name() -> None:
    assert list(STAGES) == PARAMETERS["Stage"]["AllowedValues"]
    for stage, config in STAGES.items():
        assert _read_settings(stage)["Stage"] == stage
        assert config["global"]["parameters"]["stack_name"] == f"seller-accounts-{stage}"  # global: `sam delete` needs it too
        assert config["deploy"]["parameters"]["tags"] == f"service=seller-accounts stage={stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_required_parameters_are_set_and_valid(stage: str) -> None:
    settings = _read_settings(stage)
    required = {name for name, parameter in PARAMETERS.items() if "Default" not in parameter}
    assert required <= settings.keys() <= PARAMETERS.keys()
    for name, value in settings.items():
        parameter = PARAMETERS[name]
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name
        assert value in map(str, parameter.get("AllowedValues", [value])), name


def test_prod_is_protected_monitored_and_deployed_gradually() -> None:
    prod = _read_settings("prod")
    assert prod["TableDeletionProtection"] == "true"
    assert prod["AlarmEmail"]
    assert prod["DeploymentType"].startswith(("Canary", "Linear"))
    assert STAGES["prod"]["deploy"]["parameters"]["confirm_changeset"]


def test_prod_keeps_logs_longer() -> None:
    days = [int(_read_settings(stage)["LogRetentionDays"]) for stage in ("dev", "staging", "prod")]
    assert days == sorted(set(days))


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Yield a stub that defines CloudFormation's responses."""
    client = boto3.client("cloudformation", region_name="eu-west-2", aws_access_key_id="test", aws_secret_access_key="test")
    monkeypatch.setattr(boto3, "client", lambda _name, region_name: client if region_name == "eu-west-2" else None)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_url_of_a_stage_comes_from_its_stack(cloudformation: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [{"OutputKey": "ApiUrl", "OutputValue": "https://api.example.com"}]
    stack = {"StackName": "x", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    cloudformation.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "seller-accounts-dev"})
    main("url", "dev")
    assert capsys.readouterr().out == "https://api.example.com\n"


def test_stack_is_protected_from_termination(cloudformation: Stubber) -> None:
    expected = {"StackName": "seller-accounts-prod", "EnableTerminationProtection": True}
    cloudformation.add_response("update_termination_protection", {}, expected)
    main("protect", "prod")
