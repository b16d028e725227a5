"""The local imin's connect URLs: signed, valid for 15 minutes, and usable once. `connect.py` has the pages behind them.

Assumption: imin documents neither the lifetime nor the contents of its URLs.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass

import jwt

TTL_SECONDS = 900


@dataclass(frozen=True)
class Connection:
    """The purpose of a connect URL. `action` is `RegisterAction` (log in) or `CreateAction`; `seller` is a short name."""

    customer: str
    seller: str
    action: str
    redirect_uri: str


class LinkError(Exception):
    """An invalid, used or expired connect URL; the text is for the customer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ConnectUrls:
    """Issuer of the JWTs in connect URLs, which remembers used ones. Callers hold the state's lock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = secrets.token_hex(32)
        self._used: set[str] = set()

    def issue(self, connection: Connection) -> str:
        """Return a JWT for `connection`."""
        claims = {"jti": secrets.token_urlsafe(12), "exp": int(self._clock()) + TTL_SECONDS, **asdict(connection)}
        return jwt.encode(claims, self._key, "HS256")

    def read(self, token: str) -> tuple[str, Connection]:
        """Return the id and the contents of a valid JWT. Raises `LinkError`."""
        try:
            # expiry is checked below, with the injected clock
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
        """Make the JWT with this id invalid."""
        self._used.add(jti)
