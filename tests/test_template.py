"""The template against the code: routes, variables, rights."""

import re
from pathlib import Path
from typing import Any

import accounts
import link_callback
import links
import webhook
from local.template import Template

FUNCTIONS = Path(accounts.__file__).parent
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
MODULES = {
    "AccountsFunction": accounts,
    "LinkCallbackFunction": link_callback,
    "LinksFunction": links,
    "WebhookFunction": webhook,
}
template = Template()


def test_every_route_of_the_contract_is_there_with_its_authorizer() -> None:
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


def test_every_variable_that_a_function_reads_is_set_and_no_other() -> None:
    class Recording(dict[str, str]):
        read: set[str]

        def get(self, key: str, default: Any = None) -> Any:
            self.read.add(key)
            return super().get(key, default)

    for function in template.functions():
        environment = Recording(
            {**function.environment, "OIDC_ISSUER": "https://i", "OIDC_AUDIENCE": "a", "ALLOWED_REDIRECT_URIS": "a://b"}
        )
        environment.read = set()
        MODULES[function.name].make_handler(environment)
        assert environment.read == set(function.environment) - POWERTOOLS


TABLE_ACTIONS = {  # what the code of each function calls; tests of the journeys run with these calls counted
    "AccountsFunction": set[str](),
    "LinkCallbackFunction": {"dynamodb:UpdateItem"},
    "LinksFunction": {"dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
    "WebhookFunction": {"dynamodb:PutItem"},
}


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_a_function_may_do_only_what_it_does_and_only_to_its_own_secrets_and_table() -> None:
    for function in template.functions():
        properties = template.resources("AWS::Serverless::Function")[function.name]
        (policy,) = properties["Policies"]
        rights = {action: _listed(each["Resource"]) for each in policy["Statement"] for action in _listed(each["Action"])}
        secrets = rights.pop("secretsmanager:GetSecretValue")
        assert set(secrets) == {function.environment[name] for name in function.environment if name.endswith("_SECRET")}
        assert set(rights) == TABLE_ACTIONS[function.name]
        assert all(resources == ["RecordsTable.Arn"] for resources in rights.values())


def test_the_table_forgets_is_encrypted_can_be_restored_and_is_kept() -> None:
    ((name, table),) = template.resources("AWS::DynamoDB::Table").items()
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["SSEEnabled"]
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert table["DeletionProtectionEnabled"] == "true"
    assert template.document["Resources"][name]["DeletionPolicy"] == "Retain"


def test_every_function_has_a_log_with_retention_and_no_state_reaches_the_access_log() -> None:
    logs = template.resources("AWS::Logs::LogGroup")
    for function in template.resources("AWS::Serverless::Function").values():
        assert logs[function["LoggingConfig"]["LogGroup"]]["RetentionInDays"] == "30"
    (api,) = template.resources("AWS::Serverless::HttpApi").values()
    assert not re.search(r"\$context\.(path|rawPath|domain)", api["AccessLogSettings"]["Format"])
    assert "$context.routeKey" in api["AccessLogSettings"]["Format"]


def test_each_module_says_what_it_is_for() -> None:
    for module in [*FUNCTIONS.glob("*.py"), *FUNCTIONS.parent.glob("local/*.py"), *FUNCTIONS.parent.glob("tests/*.py")]:
        assert module.read_text().startswith('"""'), module


def test_every_event_is_used_by_a_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for event in (FUNCTIONS.parent / "events").glob("*.json"):
        assert f'event("{event.stem}")' in tests


def test_every_problem_code_has_a_kind() -> None:
    from typing import get_args

    from problems import KINDS, Code

    assert set(KINDS) == set(get_args(Code))
