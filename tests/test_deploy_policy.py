"""The rights to deploy (`docs/deploy-policy.json`): every resource of the template can be made, changed and deleted.

Source: the permissions of the handlers in each resource type's schema; AWS's guides for HTTP API access logs and data protection.
"""

import fnmatch
import json
from typing import Any

import pytest

from local.template import Template
from tests.stack import ROOT

MAX_CHARACTERS = 6144  # of a managed policy, blanks aside
POLICY: dict[str, Any] = json.loads((ROOT / "docs" / "deploy-policy.json").read_text())
FUNCTION = [
    *("lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:DeleteFunction"),
    *("lambda:GetFunction", "lambda:PublishVersion", "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:AddPermission"),
    *("lambda:RemovePermission", "lambda:PutFunctionConcurrency", "lambda:TagResource"),
    *("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PassRole", "iam:DeleteRole", "iam:TagRole"),
    *("codedeploy:CreateApplication", "codedeploy:CreateDeploymentGroup", "codedeploy:CreateDeployment"),
    *("codedeploy:GetDeployment", "codedeploy:GetDeploymentConfig", "codedeploy:RegisterApplicationRevision"),
    *("codedeploy:StopDeployment", "s3:GetObject"),
]
NEEDED = {
    "AWS::Serverless::HttpApi": [
        *("apigateway:POST", "apigateway:PUT", "apigateway:PATCH", "apigateway:GET", "apigateway:DELETE", "apigateway:TagResource"),
        *("logs:CreateLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery"),
        *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "iam:CreateServiceLinkedRole"),
    ],
    "AWS::Serverless::Function": FUNCTION,
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


def _actions() -> list[str]:
    listed = [statement["Action"] for statement in POLICY["Statement"]]
    return [action for each in listed for action in (each if isinstance(each, list) else [each])]


def test_needed_actions_are_known_for_every_type_of_the_template() -> None:
    assert {each["Type"] for each in Template().document["Resources"].values()} == set(NEEDED)


@pytest.mark.parametrize("kind", NEEDED)
def test_every_resource_can_be_made_changed_and_deleted(kind: str) -> None:
    assert [action for action in NEEDED[kind] if not any(fnmatch.fnmatchcase(action, each) for each in _actions())] == []


def test_sam_can_make_its_bucket_and_deploy_and_protect_the_stack() -> None:
    needed = ["s3:CreateBucket", "s3:PutObject", "cloudformation:CreateChangeSet", "cloudformation:UpdateTerminationProtection"]
    assert all(any(fnmatch.fnmatchcase(action, each) for each in _actions()) for action in needed)


def test_policy_is_one_that_iam_accepts_and_reads_no_customer_or_secret() -> None:
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
        assert not any(fnmatch.fnmatchcase(denied, each) for each in _actions()), denied


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_stack_names_are_those_of_the_stages(stage: str) -> None:
    (stacks,) = [each["Resource"] for each in POLICY["Statement"] if each["Sid"] == "Stacks"]
    assert any(fnmatch.fnmatchcase(f"arn:aws:cloudformation:eu-west-2:1:stack/seller-accounts-{stage}/id", each) for each in stacks)
