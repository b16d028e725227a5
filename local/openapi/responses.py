"""The responses of one operation: successful ones from words.yaml, its problems, and API Gateway's own errors.

Which problems an operation can meet is said by their codes in words.yaml; their statuses and titles are the code's own.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from http import HTTPStatus

from local.openapi.service import Answer
from local.openapi.words import Json, WordsError
from local.template import Route
from seller_accounts.http.problems import PROBLEM_TYPES


@dataclass
class Response:
    """One response: what it can mean, the headers and the bodies that it can have."""

    meanings: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    content: Json = field(default_factory=dict)

    def add_body(self, kind: str, schema: str, example: str, component: str) -> None:
        """Add an example called `example` to the bodies of media type `kind`."""
        body = self.content.setdefault(kind, {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": {}})
        body["examples"][example] = {"$ref": f"#/components/examples/{component}"}

    def render(self, words: Json) -> Json:
        """Build the Response Object."""
        text = self.meanings[0] if len(self.meanings) == 1 else "\n".join(f"- {meaning}" for meaning in self.meanings)
        names = dict.fromkeys([*self.headers, "RequestId"])
        headers = {words["headers"][name]["name"]: {"$ref": f"#/components/headers/{name}"} for name in names}
        return {"description": text, "headers": headers, **({"content": self.content} if self.content else {})}


def make_responses(route: Route, operation: Json, words: Json, examples: dict[str, Answer]) -> Json:
    """All responses of `operation` by status. Raises `WordsError` when an example is not what it is taken for."""
    responses: defaultdict[int, Response] = defaultdict(Response)
    gateway = _gateway_statuses(route)
    for status, about in operation["responses"].items():
        responses[int(status)] = _described(int(status), about, examples)
    for code in operation["problems"]:
        own = f"{operation['operationId']}.{code}"
        example = own if own in examples else code
        if examples[example].content.get("code") != code:
            raise WordsError(f"the example {example} is not a problem {code}")
        response = responses[PROBLEM_TYPES[code].status]
        response.meanings.append(f"`{code}`: {words['problems'][code]}")
        response.add_body("application/problem+json", "Problem", code, example)
        response.headers += _problem_headers(PROBLEM_TYPES[code].status, PROBLEM_TYPES[code].status in gateway)
    for status in gateway:
        responses[status].meanings.append(words["gateway"][str(status)]["description"])
        responses[status].add_body("application/json", "GatewayMessage", "gateway", f"gateway.{status}")
        responses[status].headers += ["WWWAuthenticate"] if status == HTTPStatus.UNAUTHORIZED else []
    return {str(status): responses[status].render(words) for status in sorted(responses)}


def _gateway_statuses(route: Route) -> list[int]:
    """Return the errors of API Gateway itself on this route. An empty path parameter makes an unrouted path."""
    return [
        *([401, 403] if route.authorized else []),
        *([404] if "{" in route.path else []),
        *([413] if route.method == "POST" else []),
        *(429, 500, 503),
    ]


def _described(status: int, about: Json, examples: dict[str, Answer]) -> Response:
    response = Response([about["description"]], list(about["headers"]))
    for kind, body in about.get("content", {}).items():
        for name in body["examples"]:
            answer = examples[name]
            if answer.status != status or not answer.headers["Content-Type"].startswith(kind):
                raise WordsError(f"the example {name} is not a {status} of {kind}")
            response.add_body(kind, body["schema"], name, name)
    return response


def _problem_headers(status: int, is_gateways_too: bool) -> list[str]:
    headers = ["OurNoStore" if is_gateways_too else "NoStore"]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append("RetryAfter")
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append("WWWAuthenticate")
    return headers
