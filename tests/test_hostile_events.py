"""Events that no handler is made for, and those that are broken: each is refused in so many words, and none is a failure."""

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import WEBHOOK_KEY, Imin, Output, event
from tests.linking import Customer

HANDLERS = ["accounts", "callbacks", "links", "webhook"]
OWN = {
    "accounts": ["accounts-get", "accounts-get-with-link", "health-get"],
    "callbacks": ["link-callback-get"],
    "links": ["links-get", "link-get", "notices-get", "records-delete"],
    "webhook": ["webhook-post"],
}
OTHERS: dict[str, Any] = {
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
SURROGATE = "\ud800"  # half a character: JSON can write it, UTF-8 can't
ODD: list[Any] = [None, True, 0, -1, 1e400, "", SURROGATE, "\0", "\r\nX-Evil: 1", "é" * 300, [], [None], ["a"], {}, {"a": None}]
TEXTS = [["requestContext", "routeKey"], ["rawPath"], ["rawQueryString"], ["headers", "authorization"], ["headers", "x-api-key"]]
WRONG = [value for value in ODD if not isinstance(value, str)]


def _status(rosie: Customer, name: str, asked: Any) -> int:
    """Return a handler's status for an event that isn't API Gateway's and so isn't described in `openapi.json`."""
    app = {"accounts": rosie.accounts, "callbacks": rosie.callbacks, "links": rosie.links, "webhook": rosie.webhook}[name]
    answer = app.handler(asked, app.context)
    json.dumps(answer)
    return answer["statusCode"]


@pytest.mark.parametrize("handler", HANDLERS)
def test_event_of_another_service_is_400(rosie: Customer, imin: Imin, calls: list[str], handler: str) -> None:
    for kind, asked in OTHERS.items():
        if kind not in PAYLOAD_FORMAT_1:
            assert _status(rosie, handler, asked) == 400, kind
    assert (imin.calls, calls) == ([], [])


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("kind", PAYLOAD_FORMAT_1)
def test_payload_format_1_is_a_deployment_error(rosie: Customer, output: Output, handler: str, kind: str) -> None:
    assert _status(rosie, handler, OTHERS[kind]) == 500
    (line,) = output.lines()
    assert (line["level"], line["errors"], line["reason"]) == ("ERROR", ["DeploymentError"], "payload_format_1")
    assert line["Faults"] == [1]


@pytest.mark.parametrize("handler", HANDLERS)
def test_event_of_another_functions_route_is_404(rosie: Customer, handler: str) -> None:
    for name in {each for events in OWN.values() for each in events} - set(OWN[handler]):
        assert _status(rosie, handler, event(name)) == 404


@pytest.mark.parametrize("handler", HANDLERS)
def test_event_of_a_function_url_is_404(rosie: Customer, handler: str) -> None:
    asked = event(OWN[handler][0])
    asked["routeKey"] = asked["requestContext"]["routeKey"] = "$default"
    assert _status(rosie, handler, asked) == 404


class TestBrokenEvents:
    """Events of a handler's own, with something else in one of their places."""

    @pytest.mark.parametrize("handler", HANDLERS)
    def test_event_with_a_non_text_value_is_400(self, rosie: Customer, handler: str) -> None:
        for path, value in itertools.product(TEXTS, [*WRONG, f"/a{SURROGATE}"]):
            if value or path != ["rawQueryString"]:  # there, whatever is nothing is no query
                asked = _keyed(event(OWN[handler][0]))
                _put(asked, path, value)
                assert _status(rosie, handler, asked) == 400, (path, value)

    @settings(deadline=None, max_examples=3 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_arbitrary_values_in_an_event_never_cause_a_500(self, rosie: Customer, data: st.DataObject) -> None:
        handler = data.draw(st.sampled_from(HANDLERS))
        asked = _keyed(event(data.draw(st.sampled_from(OWN[handler]))))
        for _ in range(data.draw(st.integers(1, 3))):
            path = data.draw(st.sampled_from(_places(asked)))
            _put(asked, path, copy.deepcopy(data.draw(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=[])))))
        assert _status(rosie, handler, asked) < 500


def _keyed(asked: dict[str, Any]) -> dict[str, Any]:
    """Add the webhook key to the event, so that the code behind the check is reached too."""
    asked["headers"]["x-api-key"] = WEBHOOK_KEY
    return asked


def _places(value: Any, path: tuple[str, ...] = ()) -> list[list[str]]:
    """Every place in an event, by the keys that lead there."""
    if not isinstance(value, dict):
        return []
    return [place for key in value for place in [[*path, key], *_places(value[key], (*path, key))]]


def _put(asked: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        asked = asked[step]
    asked[path[-1]] = value
