"""The deployment permissions in `docs/deploy-policy.json`: enough to create, change and delete every resource of the template.

Source: the permissions of the handlers in each resource type's schema; AWS's guides for HTTP API access logs and data protection.
"""

import fnmatch
import json
from typing import Any

import pytest

from local.template import Template
from tests.stack import ROOT

MAX_CHARACTERS = 6144  # IAM's limit for a managed policy, not counting whitespace
POLICY: dict[str, Any] = json.loads((ROOT / "docs" / "deploy-policy.json").read_text())
FUNCTION_ACTIONS = [
    *("lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:DeleteFunction"),
    *("lambda:GetFunction", "lambda:PublishVersion", "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:AddPermission"),
    *("lambda:RemovePermission", "lambda:PutFunctionConcurrency", "lambda:TagResource"),
    *("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PassRole", "iam:DeleteRole", "iam:TagRole"),
    *("codedeploy:CreateApplication", "codedeploy:CreateDeploymentGroup", "codedeploy:CreateDeployment"),
    *("codedeploy:GetDeployment", "codedeploy:GetDeploymentConfig", "codedeploy:RegisterApplicationRevision"),
    *("codedeploy:StopDeployment", "s3:GetObject"),
]
REQUIRED_ACTIONS = {
    "AWS::Serverless::HttpApi": [
        *("apigateway:POST", "apigateway:PUT", "apigateway:PATCH", "apigateway:GET", "apigateway:DELETE", "apigateway:TagResource"),
        *("logs:CreateLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery"),
        *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "iam:CreateServiceLinkedRole"),
    ],
    "AWS::Serverless::Function": FUNCTION_ACTIONS,
    "AWS::Logs::LogGroup": [
        *(
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:DescribeLogGroups",
            "logs:PutRetentionPolicy",
            "logs:AssociateKmsKey",
        ),
        *("logs:PutDataProtectionPolicy", "logs:GetDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:TagResource"),
        "logs:ListTagsForResource",
    ],
    "AWS::KMS::Key": ["kms:CreateKey", "kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:ScheduleKeyDeletion", "kms:TagResource"],
    "AWS::DynamoDB::Table": [
        *("dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateTable", "dynamodb:DeleteTable", "dynamodb:TagResource"),
        *("dynamodb:UpdateTimeToLive", "dynamodb:DescribeTimeToLive", "dynamodb:UpdateContinuousBackups"),
        *("dynamodb:DescribeContinuousBackups", "kms:CreateGrant", "kms:DescribeKey", "kms:Decrypt"),
    ],
    "AWS::SecretsManager::Secret": [
        *("secretsmanager:CreateSecret", "secretsmanager:UpdateSecret", "secretsmanager:DeleteSecret"),
        *("secretsmanager:DescribeSecret", "secretsmanager:GetRandomPassword", "secretsmanager:TagResource"),
        *("kms:GenerateDataKey", "kms:Decrypt"),
    ],
    "AWS::SNS::Topic": ["sns:CreateTopic", "sns:SetTopicAttributes", "sns:DeleteTopic", "sns:TagResource"],
    "AWS::SNS::Subscription": ["sns:Subscribe", "sns:Unsubscribe"],
    "AWS::CloudWatch::Alarm": ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"],
    "AWS::CloudWatch::Dashboard": ["cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard"],
    "AWS::ApiGatewayV2::DomainName": ["apigateway:POST", "acm:DescribeCertificate"],
    "AWS::ApiGatewayV2::ApiMapping": ["apigateway:POST", "apigateway:DELETE"],
    "AWS::Route53::RecordSet": ["route53:ChangeResourceRecordSets", "route53:GetChange", "route53:GetHostedZone"],
}


def _list_allowed_actions() -> list[str]:
    entries = [statement["Action"] for statement in POLICY["Statement"]]
    return [action for entry in entries for action in (entry if isinstance(entry, list) else [entry])]


def test_required_actions_are_listed_for_every_resource_type() -> None:
    assert {resource["Type"] for resource in Template().document["Resources"].values()} == set(REQUIRED_ACTIONS)


@pytest.mark.parametrize("resource_type", REQUIRED_ACTIONS)
def test_every_resource_can_be_created_changed_and_deleted(resource_type: str) -> None:
    assert [
        action
        for action in REQUIRED_ACTIONS[resource_type]
        if not any(fnmatch.fnmatchcase(action, pattern) for pattern in _list_allowed_actions())
    ] == []


def test_sam_can_create_its_bucket_and_deploy_and_protect_the_stack() -> None:
    required = ["s3:CreateBucket", "s3:PutObject", "cloudformation:CreateChangeSet", "cloudformation:UpdateTerminationProtection"]
    assert all(any(fnmatch.fnmatchcase(action, pattern) for pattern in _list_allowed_actions()) for action in required)


def test_policy_is_valid_and_grants_no_access_to_data_or_secrets() -> None:
    assert POLICY["Version"] == "2012-10-17"
    assert len("".join(json.dumps(POLICY).split())) <= MAX_CHARACTERS
    assert len({statement["Sid"] for statement in POLICY["Statement"]}) == len(POLICY["Statement"])
    assert all(statement["Effect"] == "Allow" and statement["Resource"] for statement in POLICY["Statement"])
    for denied in (
        "secretsmanager:GetSecretValue",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "logs:Unmask",
        "iam:CreateUser",
    ):
        assert not any(fnmatch.fnmatchcase(denied, pattern) for pattern in _list_allowed_actions()), denied


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_policy_covers_the_stack_of_each_stage(stage: str) -> None:
    (patterns,) = [statement["Resource"] for statement in POLICY["Statement"] if statement["Sid"] == "Stacks"]
    arn = f"arn:aws:cloudformation:eu-west-2:1:stack/seller-accounts-{stage}/id"
    assert any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns)
