"""The stages in `samconfig.toml`: what each sets is a parameter of the template, and good."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from local.template import Template

RELEASE = "file://.aws-sam/build/release.yaml"  # written by local/artefact.py
PARAMETERS: dict[str, dict[str, Any]] = Template().document["Parameters"]
STAGES: dict[str, Any] = tomllib.loads((Path(__file__).parent.parent / "samconfig.toml").read_text())
del STAGES["version"]


def _settings(stage: str) -> dict[str, str]:
    release, *overrides = STAGES[stage]["deploy"]["parameters"]["parameter_overrides"]
    assert release == RELEASE
    return dict(override.split("=", 1) for override in overrides)


def test_each_stage_of_the_template_is_there_under_a_name_of_its_own() -> None:
    assert list(STAGES) == PARAMETERS["Stage"]["AllowedValues"]
    for stage, about in STAGES.items():
        assert _settings(stage)["Stage"] == stage
        assert about["deploy"]["parameters"]["stack_name"] == f"seller-accounts-{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_all_that_must_be_set_is_and_is_good(stage: str) -> None:
    settings = _settings(stage)
    needed = {name for name, about in PARAMETERS.items() if "Default" not in about}
    assert needed <= settings.keys() <= PARAMETERS.keys()
    for name, value in settings.items():
        about = PARAMETERS[name]
        assert re.fullmatch(about.get("AllowedPattern", ".*"), value), name
        assert value in map(str, about.get("AllowedValues", [value])), name


def test_what_customers_depend_on_is_protected_watched_and_changed_gradually() -> None:
    prod = _settings("prod")
    assert prod["TableDeletionProtection"] == "true"
    assert prod["AlarmEmail"]
    assert prod["DeploymentType"].startswith(("Canary", "Linear"))
    assert STAGES["prod"]["deploy"]["parameters"]["confirm_changeset"]


def test_logs_are_kept_longer_where_they_matter_more() -> None:
    days = [int(_settings(stage)["LogRetentionDays"]) for stage in ("dev", "staging", "prod")]
    assert days == sorted(set(days))
