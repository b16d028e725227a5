"""The template against the code: routes, variables, permissions, metrics. `test_stages.py` tests the stages."""

import ast
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from local.template import Template
from seller_accounts.http.problems import PROBLEM_TYPES, Code
from seller_accounts.links.link_store import MAX_CALLBACKS
from seller_accounts.routes import accounts, link_callback, links, webhook
from tests.conftest import EVENT_NAMES, ROUTES, Imin, event, recording_calls
from tests.linking import Customer

FUNCTIONS = Path(accounts.__file__).parents[2]
RUNBOOK = FUNCTIONS.parent / "docs" / "runbook.md"
NOT_READ_BY_FUNCTIONS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL", "RELEASE"}
MODULES = {
    "AccountsFunction": accounts,
    "LinkCallbackFunction": link_callback,
    "LinksFunction": links,
    "WebhookFunction": webhook,
}
AWS_METRICS = {  # by namespace and dimension, from each service's own guide
    ("AWS/ApiGateway", "ApiId"): {"4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency"},
    ("AWS/DynamoDB", "TableName"): {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"},
    ("AWS/Logs", "LogGroupName"): {"LogEventsWithFindings"},
    ("AWS/Lambda", "FunctionName"): {"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"},
}
template = Template()


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_all_routes_have_the_specified_authorizer() -> None:
    routes = {(route.method, route.path): (f.handler, route.authorized) for f in template.functions() for route in f.routes}
    assert routes == {
        ("GET", "/v1/customers/{customerIdentifier}/accounts"): ("accounts.handler", True),
        ("GET", "/v1/customers/{customerIdentifier}/links"): ("links.handler", True),
        ("GET", "/v1/customers/{customerIdentifier}/links/{linkId}"): ("links.handler", True),
        ("GET", "/v1/customers/{customerIdentifier}/notices"): ("links.handler", True),
        ("DELETE", "/v1/customers/{customerIdentifier}/records"): ("links.handler", True),
        ("GET", "/v1/link-callbacks/{state}"): ("link_callback.handler", False),
        ("POST", "/v1/webhooks/imin"): ("webhook.handler", False),
        ("GET", "/v1/health"): ("accounts.handler", False),
    }


def test_functions_get_exactly_the_variables_they_read() -> None:
    class RecordingEnvironment(dict[str, str]):
        read: set[str]

        def get(self, key: str, default: Any = None) -> Any:
            self.read.add(key)
            return super().get(key, default)

    for function in template.functions():
        environment = RecordingEnvironment(
            {**function.environment, "OIDC_ISSUER": "https://i", "OIDC_AUDIENCE": "a", "ALLOWED_REDIRECT_URIS": "a://b"}
        )
        environment.read = set()
        MODULES[function.name].make_handler(environment)
        assert environment.read == set(function.environment) - NOT_READ_BY_FUNCTIONS


class TestPermissions:
    """The permissions of each function, which must be exactly those used by all of its code."""

    @pytest.fixture
    def used_permissions(self, dynamodb: Any, secrets_manager: Any) -> Iterator[set[tuple[str, str]]]:
        """Record the permissions that calls to AWS use: IAM actions, and the secret or table of each."""
        used_permissions: set[tuple[str, str]] = set()

        def record(service: str, operation: str, params: dict[str, Any]) -> None:
            resource = params.get("SecretId") or params.get("TableName") or "".join(params["RequestItems"])
            used_permissions.add((f"{service}:{operation}", resource))

        with (
            recording_calls(dynamodb, functools.partial(record, "dynamodb")),
            recording_calls(secrets_manager, functools.partial(record, "secretsmanager")),
        ):
            yield used_permissions

    def test_accounts_function_has_exactly_the_permissions_it_uses(
        self, rosie: Customer, used_permissions: set[tuple[str, str]]
    ) -> None:
        rosie.get_link()
        assert used_permissions == _read_permissions("AccountsFunction")

    def test_link_callback_function_has_exactly_the_permissions_it_uses(
        self, rosie: Customer, used_permissions: set[tuple[str, str]]
    ) -> None:
        _, state = rosie.get_link()
        rosie.connect("1")
        used_permissions.clear()
        for _ in range(MAX_CALLBACKS + 1):
            rosie.open_callback(state)
        assert used_permissions == _read_permissions("LinkCallbackFunction")

    def test_links_function_has_exactly_the_permissions_it_uses(
        self, rosie: Customer, imin: Imin, used_permissions: set[tuple[str, str]]
    ) -> None:
        link_id, state = rosie.get_link()
        imin.respond_with({}, 500)
        rosie.open_callback(state)
        rosie.program_imin()
        used_permissions.clear()
        assert rosie.read_link(link_id)["status"] == "not_confirmed"
        for name in ("links-get", "notices-get", "records-delete"):
            assert rosie.read(name).status < 300
        assert used_permissions == _read_permissions("LinksFunction")

    def test_webhook_function_has_exactly_the_permissions_it_uses(
        self, rosie: Customer, used_permissions: set[tuple[str, str]]
    ) -> None:
        assert rosie.notify().status == 204
        assert used_permissions == _read_permissions("WebhookFunction")


def _read_permissions(function: str) -> set[tuple[str, str]]:
    """Return the permissions of the function's role: actions, and the secret or table of each."""
    (policy,) = template.resources("AWS::Serverless::Function")[function]["Policies"]
    assert all(statement["Effect"] == "Allow" for statement in policy["Statement"])
    return {
        (action, resource.removesuffix(".Arn"))
        for statement in policy["Statement"]
        for action in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
    }


class TestStoredData:
    def test_table_has_ttl_backups_and_is_retained(self) -> None:
        ((name, table),) = template.resources("AWS::DynamoDB::Table").items()
        assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert table["DeletionProtectionEnabled"] == "true"
        for resource_name in (name, "DataKey", "IminApiKeySecret", "IminWebhookSecret"):  # the table is useless without the key
            resource = template.document["Resources"][resource_name]
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")

    def test_secrets_are_generated_with_a_value(self) -> None:
        """Check that no secret is created empty: that would be a 503, which fires the errors alarm and so stops deployments."""
        secrets = template.resources("AWS::SecretsManager::Secret")
        generated = {"PasswordLength": 64, "ExcludePunctuation": True}
        assert [secret.get("GenerateSecretString") for secret in secrets.values()] == [generated] * 3

    def test_all_data_is_encrypted_with_the_stacks_key(self) -> None:
        (table,) = template.resources("AWS::DynamoDB::Table").values()
        (topic,) = template.resources("AWS::SNS::Topic").values()
        logs = template.resources("AWS::Logs::LogGroup").values()
        secrets = template.resources("AWS::SecretsManager::Secret").values()
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "DataKey.Arn"}
        assert topic["KmsMasterKeyId"] == "DataKey"
        assert {resource["KmsKeyId"] for resource in [*logs, *secrets]} == {"DataKey.Arn"}

    def test_functions_share_one_log_group_and_access_log_has_no_state(self) -> None:
        logs = template.resources("AWS::Logs::LogGroup")
        assert {log["RetentionInDays"] for log in logs.values()} == {"30"}
        assert template.resolve(template.document["Globals"]["Function"]["LoggingConfig"]) == {"LogGroup": "FunctionsLog"}
        assert set(logs) == {"FunctionsLog", "ApiAccessLog"}
        for function in template.resources("AWS::Serverless::Function").values():
            assert "LoggingConfig" not in function
        (api,) = template.resources("AWS::Serverless::HttpApi").values()
        assert not re.search(r"\$context\.(path|rawPath|domain)", api["AccessLogSettings"]["Format"])
        assert "$context.routeKey" in api["AccessLogSettings"]["Format"]

    @pytest.mark.parametrize("name", template.resources("AWS::Logs::LogGroup"))
    def test_every_log_group_has_the_data_protection_policy(self, name: str) -> None:
        policy = template.document["Resources"][name]["Properties"]["DataProtectionPolicy"]
        audit, mask = policy["Statement"]
        assert policy["Version"] == "2021-06-01"
        assert audit["Operation"] == {"Audit": {"FindingsDestination": {}}}
        assert mask["Operation"] == {"Deidentify": {"MaskConfig": {}}}
        assert audit["DataIdentifier"] == mask["DataIdentifier"] == {"Fn::FindInMap": ["Logs", "Never", "Data"]}

    def test_data_protection_policy_includes_email_addresses(self) -> None:
        identifiers = template.document["Mappings"]["Logs"]["Never"]["Data"]
        assert all(re.fullmatch(r"arn:aws:dataprotection::aws:data-identifier/\w+", identifier) for identifier in identifiers)
        assert {identifier.rpartition("/")[2] for identifier in identifiers} >= {"EmailAddress", "IpAddress", "AwsSecretKey"}


def test_api_is_throttled_and_public_routes_more_strictly() -> None:
    (api,) = template.resources("AWS::Serverless::HttpApi").values()
    limits = api["DefaultRouteSettings"]
    assert 0 < int(limits["ThrottlingRateLimit"]) <= int(limits["ThrottlingBurstLimit"]) * 10
    assert set(limits) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
    public = [f"{route.method} {route.path}" for f in template.functions() for route in f.routes if not route.authorized]
    assert set(api["RouteSettings"]) == set(public)
    for settings in api["RouteSettings"].values():
        assert settings.keys() == limits.keys()
        assert all(int(settings[name]) < int(limits[name]) for name in limits)


class TestApi:
    api = template.document["Resources"]["Api"]["Properties"]

    def test_import_warning_fails_the_deployment(self) -> None:
        assert self.api["FailOnWarnings"] in {True, "true"}

    def test_authorizer_takes_several_audiences_and_optional_scopes(self) -> None:
        ((_, authorizer),) = self.api["Auth"]["Authorizers"].items()
        assert authorizer["JwtConfiguration"]["audience"] == {"Fn::Split": [",", {"Ref": "OidcAudience"}]}
        assert [scope["Fn::If"][0] for scope in authorizer["AuthorizationScopes"]] == ["HasScope", "HasSecondScope"]

    def test_cors_allows_the_apps_headers_and_is_off_without_origins(self) -> None:
        condition, cors, without = self.api["CorsConfiguration"]["Fn::If"]
        assert condition == "HasAllowedOrigins"
        assert without == {"Ref": "AWS::NoValue"}
        assert cors["AllowOrigins"] == {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}
        assert set(cors["AllowMethods"]) == {route.method for f in template.functions() for route in f.routes if route.authorized}
        assert set(cors["AllowHeaders"]) == {"Authorization", "Accept", "If-None-Match"}
        assert set(cors["ExposeHeaders"]) == {"ETag", "Retry-After", "apigw-requestid"}
        assert "AllowCredentials" not in cors

    def test_default_endpoint_can_be_off_only_with_a_domain(self) -> None:
        (rule,) = [
            rule for rule in template.document["Rules"].values() if "DisableExecuteApiEndpoint" in str(rule["RuleCondition"])
        ]
        assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "DomainName"}, ""]}]}
        assert self.api["DisableExecuteApiEndpoint"]["Fn::If"][0] == "HasNoExecuteApiEndpoint"
        assert template.document["Parameters"]["DisableExecuteApiEndpoint"]["Default"] == "false"


class TestDeployment:
    def test_new_releases_make_new_versions_with_rollback(self) -> None:
        shared = template.document["Globals"]["Function"]
        assert shared["AutoPublishAlias"] == "live"
        alarms = {"Fn::If": ["HasErrorsAlarmGuard", [{"Ref": "ErrorsAlarm"}], [{"Ref": "AWS::NoValue"}]]}
        assert shared["DeploymentPreference"] == {"Type": {"Ref": "DeploymentType"}, "Alarms": alarms}
        assert shared["Environment"]["Variables"]["RELEASE"] == {"Ref": "Release"}  # otherwise Lambda publishes no new version
        for name in MODULES:
            assert template.document["Resources"][name]["Properties"]["AutoPublishCodeSha256"] == {"Ref": "Release"}

    @pytest.mark.parametrize("release", ["", "0123456789abcdef", "0123456789abcdef-20260102120000"])
    def test_release_is_a_digest_and_a_time(self, release: str) -> None:
        assert re.fullmatch(template.document["Parameters"]["Release"]["AllowedPattern"], release)

    def test_slowest_deployment_ends_before_the_credentials_expire(self) -> None:
        for name in template.document["Parameters"]["DeploymentType"]["AllowedValues"]:
            match re.findall(r"\d+", name):
                case [percent, minutes]:
                    steps = 1 if name.startswith("Canary") else 100 // int(percent)
                    assert steps * int(minutes) <= 30, name

    def test_every_parameter_has_description_check_and_group(self) -> None:
        groups = template.document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        parameters = template.document["Parameters"]
        assert sorted(name for group in groups for name in group["Parameters"]) == sorted(parameters)
        for name, parameter in parameters.items():
            assert parameter["Description"], name
            assert parameter.keys() & {"AllowedPattern", "AllowedValues", "MinLength", "MinValue"}, name


def _find_code_metrics() -> set[str]:
    """Return all metric names passed to `count` or `measure` as constants, or listed in a `…_METRICS` table."""
    metrics: set[str] = set()
    for module in FUNCTIONS.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            match node:
                case ast.Call(func=ast.Name("count" | "measure"), args=[ast.Constant(str(name)), *_]):
                    metrics.add(name)
                case ast.Assign([ast.Name(table)], ast.Dict() as names) | ast.AnnAssign(ast.Name(table), _, ast.Dict() as names):
                    if table.endswith("_METRICS"):
                        metrics |= {ast.literal_eval(value) for value in names.values}
    return metrics


class TestMonitoring:
    alarms = template.resources("AWS::CloudWatch::Alarm")
    code_metrics = _find_code_metrics()

    def is_emitted(self, namespace: str, name: str, dimensions: dict[str, str]) -> bool:
        """Return whether the code emits the metric, or AWS does for a resource of this template."""
        if namespace == "SellerAccounts":
            return name in self.code_metrics and dimensions == {"service": "seller-accounts-dev"}
        assert dimensions.pop("DataProtectionOperation", "Audit") == "Audit"
        ((dimension, resource),) = dimensions.items()
        return name in AWS_METRICS[namespace, dimension] and resource in template.document["Resources"]

    @pytest.mark.parametrize("name", alarms)
    def test_alarm_metrics_exist(self, name: str) -> None:
        alarm = self.alarms[name]
        metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query] or [alarm]
        for metric in metrics:
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
            assert self.is_emitted(metric["Namespace"], metric["MetricName"], dimensions), metric

    @pytest.mark.parametrize("name", alarms)
    def test_alarms_notify_and_link_to_the_runbook(self, name: str) -> None:
        alarm = self.alarms[name]
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["AlarmTopic"]
        section = alarm["AlarmDescription"].rpartition("docs/runbook.md#")[2]
        assert section in {_make_anchor(line) for line in RUNBOOK.read_text().splitlines() if line.startswith("## ")}

    def test_runbook_has_every_warning(self) -> None:
        code = "".join(module.read_text() for module in FUNCTIONS.rglob("*.py"))
        warnings = set(re.findall(r'log\(logging\.WARNING, "(\w+)"', code))
        assert warnings
        assert {name for name in warnings if f"`{name}`" not in RUNBOOK.read_text()} == set()

    def test_dashboard_shows_existing_metrics_and_all_alarms(self) -> None:
        (dashboard,) = template.resources("AWS::CloudWatch::Dashboard").values()
        alarm_widget, *widgets = json.loads(dashboard["DashboardBody"])["widgets"]
        assert {alarm.removesuffix(".Arn") for alarm in alarm_widget["properties"]["alarms"]} == set(self.alarms)
        *metrics, findings = [metric for widget in widgets for metric in _expand_shorthand(widget["properties"]["metrics"])]
        for namespace, name, dimension, value, *_ in metrics:
            assert self.is_emitted(namespace, name, {dimension: value}), name
        assert 'Namespace="AWS/Logs" MetricName="LogEventsWithFindings"' in findings[0]["expression"]

    def test_dashboard_shows_every_metric_of_the_code(self) -> None:
        (dashboard,) = template.resources("AWS::CloudWatch::Dashboard").values()
        assert {name for name in self.code_metrics if f'"{name}"' not in dashboard["DashboardBody"]} == set()


def _expand_shorthand(metrics: list[list[Any]]) -> list[list[Any]]:
    """Expand CloudWatch's shorthand: "." repeats a value of the metric before, "..." all of them."""
    previous: list[Any] = []
    expanded = []
    for metric in metrics:
        values = [*previous, *metric[1:]] if metric[0] == "..." else metric
        previous = [previous[index] if value == "." else value for index, value in enumerate(values) if isinstance(value, str)]
        expanded.append([*previous, *(value for value in values if isinstance(value, dict))])
    return expanded


def _make_anchor(heading: str) -> str:
    return heading.removeprefix("## ").lower().replace(" ", "-")


@pytest.mark.parametrize("folder", ["functions", "local", "tests", "bench"])
def test_every_module_has_a_docstring(folder: str) -> None:
    for module in (FUNCTIONS.parent / folder).rglob("*.py"):
        assert module.read_text().startswith('"""'), module


def test_every_route_has_an_event() -> None:
    assert {event(name)["routeKey"] for name in EVENT_NAMES} == set(ROUTES)


def test_every_event_is_used_by_a_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in EVENT_NAMES if f'event("{name}")' not in tests] == []


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_every_route_is_on_the_page(page: str) -> None:
    text = (FUNCTIONS.parent / page).read_text()
    for route in ROUTES:
        assert f"`{route}`" in text or f"`{route.replace('/v1/customers/{customerIdentifier}', '…')}`" in text, route


def test_every_problem_code_has_a_type() -> None:
    assert set(PROBLEM_TYPES) == set(get_args(Code))
