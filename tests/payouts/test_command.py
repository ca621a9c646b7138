"""`canteen pay-out`: one login makes, another releases, and what failed goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from canteen.access.models import User
from canteen.cli.payouts import pay_out
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider, pretending
from canteen.payouts import batching, finding
from canteen.territory.actors import Actor
from tests.factories import City
from tests.payouts.banking import states


@pytest.fixture
def provider(approved: City) -> Iterator[PretendProvider]:
    with pretending() as provider:
        provider.open_accounts("acct_operator_1", "acct_elder_2")
        yield provider


def run(*options: str) -> Result:
    db.session.rollback()
    return CliRunner().invoke(pay_out, options)


def login_of(who: Actor) -> str:
    return db.session.get_one(User, who.user_id).login


def digest_of(batch_id: int) -> str:
    """What the lines of a batch come to, as the command shows it."""
    shown = run("--show", str(batch_id))
    assert shown.exit_code == 0
    return shown.output.rsplit("digest ", 1)[1].strip()


def test_two_logins_pay_and_what_failed_goes_on(
    provider: PretendProvider, maker: Actor, checker: Actor
) -> None:
    one, other = login_of(maker), login_of(checker)
    assert run("--make").exit_code == 2, "nobody has said who makes it"
    assert run().exit_code == 0 and set(states().values()) == {"ready"}
    made = run("--make", "--by", one)
    assert "batch 1 (gateway): draft, 3 payouts" in made.output
    seen = made.output.split("digest ")[1][:16]
    own = run("--release", "1", "--digest", seen, "--by", one)
    assert isinstance(own.exception, batching.SameHand)
    assert set(states().values()) == {"ready"}
    released = run("--release", "1", "--digest", seen, "--by", other)
    assert released.exit_code == 1 and "resource_missing" in released.stderr
    assert sorted(states().values()) == ["failed", "paid", "paid"]
    again = run("--retry-failed")
    assert "is ready for a batch" in again.output and again.exit_code == 0
    provider.open_accounts("acct_operator_2")
    run("--make", "--by", other)
    assert run("--release", "2", "--digest", digest_of(2), "--by", one).exit_code == 0
    assert set(states().values()) == {"paid"} and len(provider.all("transfer")) == 3


def test_only_what_was_seen_is_released(
    provider: PretendProvider, maker: Actor, checker: Actor
) -> None:
    run("--make", "--by", login_of(maker))
    shown = run("--show", "1")
    assert shown.exit_code == 0 and shown.output.count("payout ") == 3
    assert "account …or_1" in shown.output and set(states().values()) == {"ready"}
    seen, by = digest_of(1), ("--by", login_of(checker))
    for unseen in ((), ("--digest", ""), ("--digest", seen[:15]), ("--digest", "%" * 16)):
        refused = run("--release", "1", *unseen, *by)
        assert refused.exit_code == 2 and "canteen pay-out --show 1" in refused.stderr
    other = run("--release", "1", "--digest", "0" * 16, *by)
    assert isinstance(other.exception, batching.LinesChanged)
    with transaction() as session:
        session.execute(sa.text("UPDATE payout_lines SET amount_fen = amount_fen + 1"))
    changed = run("--release", "1", "--digest", seen, *by)
    assert isinstance(changed.exception, batching.LinesChanged)
    assert set(states().values()) == {"ready"} and finding.batch(1).state == "draft"


def test_a_bank_file_is_written(
    provider: PretendProvider, maker: Actor, checker: Actor, tmp_path: Path
) -> None:
    file = tmp_path / "bank.csv"
    run("--make", "--way", "bank_file", "--by", login_of(maker))
    seen = digest_of(1)
    out = run("--release", "1", "--digest", seen, "--by", login_of(checker), "--file", str(file))
    assert out.exit_code == 0 and file.read_bytes().startswith(b"\xef\xbb\xbfH,B000001,")
    assert provider.all("transfer") == [] and finding.batch(1).state == "released"


def test_what_waits_for_an_account_is_named_and_left(
    provider: PretendProvider, approved: City
) -> None:
    with transaction() as session:
        session.execute(sa.text("UPDATE payouts SET state = 'failed', failure = 'none known'"))
        session.execute(sa.text("UPDATE operators SET payout_account = ''"))
    said = run("--retry-failed")
    assert said.exit_code == 1 and said.stderr.count("no payout account") >= 2
    assert sorted(states().values()) == ["failed", "failed", "ready"]
