"""Time: clock skew, leap years, the limits of the calendar, time zones, and expiry between two steps."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seller_accounts.aws.table import Table
from seller_accounts.http.shapes import Account, Connected, Seller
from seller_accounts.imin.reshape import reshape
from seller_accounts.imin.tolerant_parser import parse_moment
from seller_accounts.links.confirmation import newly_connected
from seller_accounts.links.link_state import CLOCK_SKEW_SECONDS, ExpiredStateError, LinkStates
from seller_accounts.links.link_store import Link, LinkStore
from seller_accounts.notice_store import NoticeStore
from seller_accounts.settings import StateSettings, StoreSettings
from tests.conftest import Imin
from tests.linking import Customer, parse_query

DAY = 86400
LEAP_DAY = datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)
LINK_ID = "0198c7a4-5b00-7000-8000-000000000001"
ZONES = ["UTC", "America/St_Johns", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London"]


@pytest.fixture(params=ZONES)
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the machine's time zone, which must have no effect."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Key:
    """A fixed signing key."""

    def value(self) -> str:
        return "key"

    def versions(self) -> list[str]:
        return ["key"]

    def refresh_if_due(self) -> bool:
        return False


def make_states(now: float, ttl_seconds: int = DAY) -> LinkStates:
    """Make link states at the time `now`."""
    key: Any = Key()
    return LinkStates(StateSettings("name", ttl_seconds), key, lambda: now)


def make_link(issued_at: datetime) -> Link:
    """Make a link issued at a given moment, with a callback."""
    return Link("id", "received", issued_at, issued_at + timedelta(days=1), issued_at, issued_at, 1, [], b"")


def make_connected_accounts(at: datetime | None) -> list[Account]:
    """Make a list of one account, connected at a given moment."""
    seller = Seller(id="1", links=[])
    return [Connected(seller=seller, connected_at=at, access_passes=[], entitlement_errors=[], evidence_requests=[])]


class TestConfirmation:
    @pytest.mark.parametrize(
        ("issued_at", "connected_at", "counts"),
        [
            (LEAP_DAY, LEAP_DAY + timedelta(seconds=1), True),
            (datetime(2028, 3, 1, 0, 4, 59, tzinfo=UTC), LEAP_DAY, True),
            (datetime(2028, 3, 1, 0, 5, tzinfo=UTC), LEAP_DAY, False),
            (datetime(2027, 3, 1, 0, 4, tzinfo=UTC), datetime(2027, 2, 28, 23, 59, tzinfo=UTC), True),
            (LEAP_DAY, datetime(1, 1, 1, tzinfo=UTC), False),
            (LEAP_DAY, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), True),
        ],
    )
    def test_clock_skew_is_five_minutes_on_any_day(self, issued_at: datetime, connected_at: datetime, counts: bool) -> None:
        assert bool(newly_connected(make_connected_accounts(connected_at), make_link(issued_at))) is counts

    def test_connection_date_in_the_far_future_is_stored_and_read(self, dynamodb: Any) -> None:
        records = make_table(dynamodb, LEAP_DAY.timestamp())
        store = LinkStore(records)
        recorded = store.record_callback("rosie", LINK_ID, LEAP_DAY, LEAP_DAY, "", b"")
        far_date = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        settled = store.settle("rosie", recorded, newly_connected(make_connected_accounts(far_date), recorded))
        assert settled == store.get("rosie", LINK_ID)
        assert settled.sellers[0].connected_at == far_date


class TestLinkState:
    @pytest.mark.usefixtures("_zone")
    def test_state_times_are_utc_in_any_zone(self) -> None:
        issued = make_states(LEAP_DAY.timestamp()).issue("rosie", "a://b")
        assert issued.expires_at == datetime(2028, 3, 1, 23, 59, 59, tzinfo=UTC)
        assert make_states(LEAP_DAY.timestamp() + DAY).read(issued.state)[1] == LEAP_DAY
        with pytest.raises(ExpiredStateError):
            make_states(LEAP_DAY.timestamp() + DAY + 1).read(issued.state)

    def test_state_of_the_far_future_is_read_back(self) -> None:
        now = datetime(9998, 12, 31, tzinfo=UTC).timestamp()
        assert make_states(now).read(make_states(now).issue("rosie", "a://b").state)


@given(st.integers(-2 * CLOCK_SKEW_SECONDS, 2 * CLOCK_SKEW_SECONDS + DAY))
def test_state_is_valid_from_five_minutes_before_issue_until_expiry(seconds: int) -> None:
    state = make_states(0).issue("rosie", "a://b").state
    if -CLOCK_SKEW_SECONDS <= seconds <= DAY:
        assert make_states(seconds).read(state)[0].customer_identifier == "rosie"
    else:
        with pytest.raises(ExpiredStateError):
            make_states(seconds).read(state)


class TestExpiryBetweenSteps:
    @pytest.fixture
    def expire_states(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Return a function that moves the clock of link states past their expiry."""
        return lambda: monkeypatch.setattr("seller_accounts.links.link_state.LinkStates._now", lambda _: int(time.time()) + 2 * DAY)

    def test_link_that_expires_after_its_callback_still_settles(self, rosie: Customer, imin: Imin, expire_states: Any) -> None:
        link_id, state = rosie.get_link()
        imin.respond_with({}, 500)
        assert parse_query(rosie.open_callback(state))["status"] == "received"
        expire_states()
        rosie.connect("1")
        assert rosie.open_callback(state).status == 410
        assert rosie.read_link(link_id)["status"] == "confirmed"
        assert rosie.read_link(link_id)["callbackCount"] == 1

    def test_link_that_expires_during_the_imin_call_is_confirmed(self, rosie: Customer, imin: Imin, expire_states: Any) -> None:
        _, state = rosie.get_link()
        rosie.connect("1")
        respond = imin.respond

        def expire(request: Any) -> Any:
            expire_states()
            return respond(request)

        imin.respond = expire
        assert parse_query(rosie.open_callback(state))["status"] == "confirmed"


class TestDateParsing:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2028-02-29T12:00:00Z", datetime(2028, 2, 29, 12, tzinfo=UTC)),
            ("2028-02-29T12:00:00", datetime(2028, 2, 29, 12, tzinfo=UTC)),
            ("2028-03-01T00:30:00+01:00", datetime(2028, 2, 29, 23, 30, tzinfo=UTC)),
            ("2027-02-28T23:30:00.999-01:00", datetime(2027, 3, 1, 0, 30, tzinfo=UTC)),
            ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
            ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
            ("2027-02-29T12:00:00Z", None),
            ("0001-01-01T00:00:00+14:00", None),
            ("9999-12-31T23:59:59-14:00", None),
        ],
    )
    @pytest.mark.usefixtures("_zone")
    def test_date_is_read_as_utc_in_any_zone_or_warns(self, text: str, moment: datetime | None) -> None:
        item = {"seller": {"@id": "1"}, "dateLinked": text, "accessPass": {"text": "1"}}
        reshaped = reshape(json.dumps({"imin:item": [item]}).encode())
        (account,) = reshaped.accounts
        assert isinstance(account, Connected)
        assert (account.connected_at, len(reshaped.warnings)) == (moment, moment is None)


@given(st.datetimes(timezones=st.sampled_from([timezone(timedelta(hours=hours)) for hours in (-14, 0, 14)])))
def test_parsed_moment_equals_the_original_in_whole_seconds(moment: datetime) -> None:
    try:
        parsed = parse_moment(moment.isoformat())
    except OverflowError:
        assert moment.year in {1, 9999}
        return
    assert parsed == moment.replace(microsecond=0)
    assert parsed is not None
    assert parsed.tzinfo is UTC


def make_table(dynamodb: Any, now: float) -> Table:
    """Make the table at the time `now`, with a retention of 400 days."""
    return Table(StoreSettings("RecordsTable", 400), dynamodb, lambda: now)


@pytest.mark.usefixtures("_zone")
def test_callback_time_is_utc_in_any_zone(rosie: Customer) -> None:
    link_id, state = rosie.get_link()
    rosie.open_callback(state)
    callback_at = datetime.fromisoformat(rosie.read_link(link_id)["firstCallbackAt"])
    assert abs(datetime.now(UTC) - callback_at) < timedelta(minutes=1)


class TestTimeToLive:
    @pytest.mark.usefixtures("_zone")
    def test_time_to_live_counts_days_of_86400_seconds_in_any_zone(self, dynamodb: Any) -> None:
        now = datetime(2027, 1, 26, 12, tzinfo=UTC)
        records = make_table(dynamodb, now.timestamp() + 0.9)
        NoticeStore(records).add("rosie", None)
        (item,) = dynamodb.scan(TableName="RecordsTable")["Items"]
        assert datetime.fromtimestamp(int(item["expiresAt"]["N"]), UTC) == datetime(2028, 3, 1, 12, tzinfo=UTC)
        assert item["receivedAt"]["S"] == "2027-01-26T12:00:00Z"

    def test_only_a_callback_extends_the_expiry_of_a_record(self, dynamodb: Any) -> None:
        first, last, later = (LinkStore(make_table(dynamodb, now)) for now in (0, 10 * DAY, 20 * DAY))
        issued_at = datetime.fromtimestamp(0, UTC)
        first.record_callback("rosie", "1", issued_at, issued_at, "", b"")
        recorded = last.record_callback("rosie", "1", issued_at, issued_at, "", b"")
        later.settle("rosie", recorded, [])
        (item,) = dynamodb.scan(TableName="RecordsTable")["Items"]
        assert int(item["expiresAt"]["N"]) == 410 * DAY

    @pytest.mark.parametrize(("now", "is_shown"), [(400 * DAY - 1, True), (400 * DAY, False)])
    def test_record_is_hidden_from_the_second_of_its_expiry_on(self, dynamodb: Any, now: int, is_shown: bool) -> None:
        issued_at = datetime.fromtimestamp(0, UTC)
        LinkStore(make_table(dynamodb, 0)).record_callback("rosie", LINK_ID, issued_at, issued_at, "", b"")
        assert bool(LinkStore(make_table(dynamodb, now)).get("rosie", LINK_ID)) == is_shown

    def test_expired_record_accepts_a_new_callback(self, dynamodb: Any) -> None:
        issued_at = datetime.fromtimestamp(0, UTC)
        LinkStore(make_table(dynamodb, 0)).record_callback("rosie", "1", issued_at, issued_at, "", b"")
        recorded = LinkStore(make_table(dynamodb, 401 * DAY)).record_callback("rosie", "1", issued_at, issued_at, "", b"")
        assert recorded.callback_count == 2
