"""The template against the code: routes, variables, rights."""

import re
from pathlib import Path
from typing import Any

import accounts
from local.template import Template

FUNCTIONS = Path(accounts.__file__).parent
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
MODULES = {"AccountsFunction": accounts}
template = Template()


def test_every_route_of_the_contract_is_there_with_its_authorizer() -> None:
    routes = {(route.method, route.path): (f.handler, route.authorized) for f in template.functions() for route in f.routes}
    assert routes == {
        ("GET", "/v1/customers/{customerIdentifier}/accounts"): ("accounts.handler", True),
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


def test_a_function_may_read_only_its_own_secrets() -> None:
    for function in template.functions():
        properties = template.resources("AWS::Serverless::Function")[function.name]
        (policy,) = properties["Policies"]
        (statement,) = policy["Statement"]
        assert statement["Action"] == "secretsmanager:GetSecretValue"
        assert set(statement["Resource"]) == {
            function.environment[name] for name in function.environment if name.endswith("_SECRET")
        }


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
