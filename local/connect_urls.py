"""The local imin's connect URLs: signed, good for 15 minutes, and good once. What a customer does with one is in `connect.py`.

How long the real ones live, and what is in them, is documented nowhere.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass

import jwt

TTL_SECONDS = 900


@dataclass(frozen=True)
class Connection:
    """What a connect URL is for. `action` is `RegisterAction` (to log in) or `CreateAction`; `seller` is its short name."""

    customer: str
    seller: str
    action: str
    redirect_uri: str


class LinkError(Exception):
    """A connect URL that is not good, or no longer; its text is for the customer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ConnectUrls:
    """Issues and reads the JWTs of connect URLs, and remembers those that are used up; the state's lock is held around that."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = secrets.token_hex(32)
        self._used: set[str] = set()

    def issue(self, connection: Connection) -> str:
        """Make a JWT for `connection`."""
        claims = {"jti": secrets.token_urlsafe(12), "exp": int(self._clock()) + TTL_SECONDS, **asdict(connection)}
        return jwt.encode(claims, self._key, "HS256")

    def read(self, token: str) -> tuple[str, Connection]:
        """Return the id and the content of a valid JWT. Raises `LinkError`."""
        try:
            # when it expires is checked below, by our clock
            claims = jwt.decode(token, self._key, ["HS256"], {"verify_exp": False})
        except jwt.InvalidTokenError as error:
            raise LinkError(400, "This link doesn't work") from error
        jti, expires = claims.pop("jti"), claims.pop("exp")
        if jti in self._used:
            raise LinkError(410, "This link has been used already")
        if expires <= self._clock():
            raise LinkError(410, "This link has expired")
        return jti, Connection(**claims)

    def use_up(self, jti: str) -> None:
        """Lets the JWT with this id be good no longer."""
        self._used.add(jti)
