"""Events of other services, and malformed events: each gets the specified status, and none causes an unexpected exception."""

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import EVENT_NAMES, ROUTES, WEBHOOK_KEY, Imin, Output, event
from tests.linking import Customer

FUNCTIONS = sorted(set(ROUTES.values()))
OWN_EVENTS = {function: [name for name in EVENT_NAMES if ROUTES[event(name)["routeKey"]] == function] for function in FUNCTIONS}
FOREIGN_EVENTS: dict[str, Any] = {
    "null": None,
    "text": "GET /v1/health",
    "number": 5,
    "list": [{}],
    "empty": {},
    "SQS": {"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs", "awsRegion": "eu-west-2"}]},
    "SNS": {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "{}", "Type": "Notification"}}]},
    "S3": {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]},
    "DynamoDB": {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"pk": {"S": "CUSTOMER#rosie"}}}}]},
    "Kinesis": {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": "e30=", "partitionKey": "1"}}]},
    "EventBridge": {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "resources": []},
    "Cognito": {"version": "1", "triggerSource": "PreSignUp_SignUp", "request": {}, "response": {}, "userName": "rosie"},
    "CloudFormation": {"RequestType": "Create", "ResponseURL": "https://example.com/", "StackId": "1", "LogicalResourceId": "R"},
    "Step Functions": {"input": {"customerIdentifier": "rosie"}},
    "API Gateway v1": {
        "version": "1.0",
        "resource": "/v1/health",
        "path": "/v1/health",
        "httpMethod": "GET",
        "headers": {"Host": "example.com"},
        "multiValueHeaders": None,
        "queryStringParameters": None,
        "pathParameters": None,
        "requestContext": {"resourcePath": "/v1/health", "httpMethod": "GET", "requestId": "1", "domainName": "example.com"},
        "body": None,
        "isBase64Encoded": False,
    },
    "WebSocket": {"requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "1", "requestId": "1"}},
    "load balancer": {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "httpMethod": "GET",
        "path": "/v1/health",
        "headers": {},
    },
    "authorizer": {"version": "2.0", "type": "REQUEST", "routeArn": "arn", "identitySource": [""], "requestContext": {}},
}
PAYLOAD_FORMAT_1 = ["API Gateway v1", "load balancer"]
SURROGATE = "\ud800"  # half a character: JSON can encode it, UTF-8 can't
ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1e400,
    "",
    SURROGATE,
    "\0",
    "\r\nX-Evil: 1",
    "é" * 300,
    [],
    [None],
    ["a"],
    {},
    {"a": None},
]
TEXT_PATHS = [
    ["requestContext", "routeKey"],
    ["rawPath"],
    ["rawQueryString"],
    ["headers", "authorization"],
    ["headers", "x-api-key"],
]
NON_TEXT_VALUES = [value for value in ODD_VALUES if not isinstance(value, str)]


def _invoke_handler(rosie: Customer, function: str, payload: Any) -> int:
    """Return a handler's status for an event that isn't API Gateway's and so isn't described in `openapi.json`."""
    app = rosie.apps[function]
    response = app.handler(payload, app.context)
    json.dumps(response)
    return response["statusCode"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_event_of_another_service_is_400(rosie: Customer, imin: Imin, calls: list[str], function: str) -> None:
    for source, payload in FOREIGN_EVENTS.items():
        if source not in PAYLOAD_FORMAT_1:
            assert _invoke_handler(rosie, function, payload) == 400, source
    assert (imin.calls, calls) == ([], [])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("source", PAYLOAD_FORMAT_1)
def test_payload_format_1_is_a_deployment_error(rosie: Customer, output: Output, function: str, source: str) -> None:
    assert _invoke_handler(rosie, function, FOREIGN_EVENTS[source]) == 500
    (line,) = output.lines()
    assert (line["level"], line["errors"], line["reason"]) == ("ERROR", ["DeploymentError"], "payload_format_1")
    assert line["Faults"] == [1]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_event_of_another_functions_route_is_404(rosie: Customer, function: str) -> None:
    for name in set(EVENT_NAMES) - set(OWN_EVENTS[function]):
        assert _invoke_handler(rosie, function, event(name)) == 404


@pytest.mark.parametrize("function", FUNCTIONS)
def test_event_of_a_function_url_is_404(rosie: Customer, function: str) -> None:
    payload = event(OWN_EVENTS[function][0])
    payload["routeKey"] = payload["requestContext"]["routeKey"] = "$default"
    assert _invoke_handler(rosie, function, payload) == 404


class TestMalformedEvents:
    """Events of a handler's own routes, with other values at some of their paths."""

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_event_with_a_non_text_value_is_400(self, rosie: Customer, function: str) -> None:
        for path, value in itertools.product(TEXT_PATHS, [*NON_TEXT_VALUES, f"/a{SURROGATE}"]):
            if value or path != ["rawQueryString"]:  # an empty value of any type is an empty query
                payload = _add_webhook_key(event(OWN_EVENTS[function][0]))
                _set_value(payload, path, value)
                assert _invoke_handler(rosie, function, payload) == 400, (path, value)

    @settings(max_examples=3 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_arbitrary_values_in_an_event_never_cause_a_500(self, rosie: Customer, data: st.DataObject) -> None:
        function = data.draw(st.sampled_from(FUNCTIONS))
        payload = _add_webhook_key(event(data.draw(st.sampled_from(OWN_EVENTS[function]))))
        for _ in range(data.draw(st.integers(1, 3))):
            path = data.draw(st.sampled_from(_find_paths(payload)))
            _set_value(
                payload, path, copy.deepcopy(data.draw(st.sampled_from(ODD_VALUES) | st.text(st.characters(exclude_categories=[]))))
            )
        assert _invoke_handler(rosie, function, payload) < 500


def _add_webhook_key(payload: dict[str, Any]) -> dict[str, Any]:
    """Add the webhook key to the event, so that the code behind the check is reached too."""
    payload["headers"]["x-api-key"] = WEBHOOK_KEY
    return payload


def _find_paths(value: Any, path: tuple[str, ...] = ()) -> list[list[str]]:
    """Return the path of every value in an event, as a list of keys."""
    if not isinstance(value, dict):
        return []
    return [found for key in value for found in [[*path, key], *_find_paths(value[key], (*path, key))]]


def _set_value(payload: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        payload = payload[step]
    payload[path[-1]] = value
