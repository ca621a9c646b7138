"""A payout account is told by its last four characters: on every page, paper, file and trail."""

from __future__ import annotations

import gzip
import io
import os
import re
import zipfile

import pypdfium2
import pytest
from flask import Flask

from canteen.access.users import actor_of
from canteen.audit.models import AuditRecord
from canteen.canteens.models import Operator
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.payouts import bank_file, changing_accounts
from canteen.payouts.models import BankChange, PayoutBatch, PayoutLine
from canteen.settlements.models import Payout
from canteen.web.guards import SIGNED_IN
from tests.factories import LONG_AGO
from tests.web import subjects
from tests.web.test_doors import ASKS_MORE, address, hands_out, routes
from tests.web.world import World, make_world, sign_in

pytestmark = pytest.mark.skipif(
    "sqlite" not in os.environ.get("TEST_DATABASES", "sqlite"), reason="walks on SQLite"
)
# Their first twelve characters are nowhere else in the world; the last four may be shown.
NOW, NEXT, ELDERS, ELDERS_NEXT = (f"6217{digit * 8}{digit}07{digit}" for digit in "3579")
HIDDEN = re.compile("|".join(number[:12] for number in (NOW, NEXT, ELDERS, ELDERS_NEXT)))
# The one file that names accounts in full: it goes to the bank.
BANK_FILE = "bureau.bank_file_of"
KINDS = ("csv", "xlsx", "pdf", "json")


@pytest.fixture(params=["sqlite"])
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def world(app: Flask) -> World:
    """Accounts everywhere they are kept: on record, wished for, in a batch that was released."""
    world = make_world()
    named, operator = world.own.named, world.own.canteen.operator_id
    with transaction() as session:
        session.get_one(Operator, operator).payout_account = NOW
        session.get_one(Elder, world.own.elder.id).payout_account = ELDERS
        session.delete(session.get_one(BankChange, named["change_id"]))
        payout = session.get_one(Payout, named["payout_id"])
        batch = session.get_one(PayoutBatch, named["batch_id"])
        batch.way, batch.state, batch.released_by = "bank_file", "released", "user:99"
        batch.released_at = LONG_AGO
        payout.account, payout.batch_id = NOW, batch.id
        session.add(PayoutLine(batch_id=batch.id, payout_id=payout.id, account=NOW,
                               amount_fen=500, state="waiting", at=LONG_AGO))  # fmt: skip
    with transaction():
        changing_accounts.ask(
            ELDERS_NEXT, actor_of(world.users["street"]), at=LONG_AGO, elder_id=world.own.elder.id
        )
        named["change_id"] = changing_accounts.ask(
            NEXT, actor_of(world.users["operator"]), at=LONG_AGO, operator_id=operator
        )
    return world


def words_of(content: bytes) -> str:
    """What somebody can read in an answer, whatever it is packed in."""
    if content.startswith(b"%PDF"):
        pages = pypdfium2.PdfDocument(content)
        return "\n".join(page.get_textpage().get_text_bounded() for page in pages)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return "\n".join(packed.read(name).decode("utf-8", "replace")
                             for name in packed.namelist())  # fmt: skip
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    return content.decode("utf-8", "replace")


def plain(text: str) -> str:
    """Without the spaces and marks that could break a number in pieces."""
    return re.sub(r"[\s\u200b-]", "", text)


@pytest.mark.parametrize("role", SIGNED_IN)
def test_no_page_and_no_file_shows_a_whole_account(app: Flask, world: World, role: str) -> None:
    client = sign_in(app, world.users[role])
    with client.session_transaction() as session:
        session["till"] = world.own.named["till_id"]
    asked, tails = 0, 0
    for rule, method, kept in routes(app):
        if not hands_out(rule, method) or not kept or (kept.roles and role not in kept.roles):
            continue
        if rule.endpoint in (*ASKS_MORE, BANK_FILE):
            continue
        values = {name: subjects.own(world, role, name) for name in rule.arguments}
        if None in values.values():
            continue
        for kind in KINDS if "kind" in values else ("",):
            try:
                url = address(app, rule, values | ({"kind": kind} if kind else {}))
            except ValueError:  # it is not given out in this kind
                continue
            answer = client.open(url, method=method, headers={"Accept": "text/html"})
            db.session.rollback()
            said = plain(words_of(answer.data))
            assert not HIDDEN.search(said), f"{role}: {url}"
            asked += answer.status_code == 200
            tails += NOW[-4:] in said
    assert asked > 10
    # What is walked does show accounts, by their end: the office's and the operator's pages do.
    assert bool(tails) == (role in ("street", "district", "city", "operator")), tails


def test_the_bank_file_names_them_and_nobody_but_the_city_gets_it(
    app: Flask, world: World
) -> None:
    batch = world.own.named["batch_id"]
    assert NOW.encode() in bank_file.written(int(str(batch)))
    for role in SIGNED_IN:
        answer = sign_in(app, world.users[role]).post(f"/bureau/batches/{batch}/file")
        assert (answer.status_code == 200) == (role == "city"), role
        assert bool(HIDDEN.search(answer.text)) == (role == "city"), role


def test_the_trail_of_a_change_names_ends_only(app: Flask, world: World) -> None:
    told = [str(each.detail) for each in db.session.query(AuditRecord)]
    assert any(NEXT[-4:] in each for each in told)
    assert not any(HIDDEN.search(each) for each in told)
