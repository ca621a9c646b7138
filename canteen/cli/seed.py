"""`canteen seed`: make the demo city."""

from __future__ import annotations

import json
import os

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.progress import Progress

from canteen import background, clock
from canteen.db import transaction
from canteen.delivering import deliver_outbox, take_notices
from canteen.demo import accounts, city, desk, people, provider, tills
from canteen.payouts import arriving
from canteen.performance.judging import judge
from canteen.territory.actors import job


@click.command()
@click.option("--canteens", default=24, show_default=True, help="How many canteens.")
@click.option("--elders", default=1500, show_default=True, help="How many elders on the register.")
@click.option(
    "--days", default="auto", show_default=True,
    help="Days of past meals; auto: two whole months and this one so far.",
)
@click.option(
    "--seed", "number", default=2026, show_default=True, help="The same seed, the same city."
)
@click.option("--if-empty", is_flag=True, help="Do nothing when the database has a city.")
@with_appcontext
def seed(canteens: int, elders: int, days: str, number: int, if_empty: bool) -> None:
    """Make a made-up city: canteens, elders, past months of meals, today's menus.

    Writes a sign-in for every role to demo.json in the instance folder.
    """
    if not city.is_empty():
        if if_empty:
            return
        raise click.ClickException("The database has a city already; seed only an empty one.")
    today = clock.business_date()
    length = city.two_months_back(today) if days == "auto" else int(days)
    plan = city.Plan(canteens, elders, length, number, today)
    with Progress(transient=True) as progress:
        bar = progress.add_task("Meals", total=length)
        with transaction():
            ground = city.make_world(plan, lambda: progress.advance(bar))
            progress.update(bar, description="Settling")
            months = city.settle_past(plan)
            accounts.ask_for_some()
            codes = tills.till_codes(ground, clock.now())
        _tell(people.sign_ins(ground), codes)
        if months:
            _pay()
            with transaction():
                city.leave_some_waiting(months[-1])
                if plan.eventful:
                    desk.work(months[-1], today)
            while background.run_tasks():
                pass
        with transaction():
            city.visit(plan)
            city.take_signs_down(plan)
            judge(today, by=job("judge"))
    click.echo(f"A city of {canteens} canteens and {elders} elders, {length} days of meals.")


def _tell(sign_ins: list[dict[str, str]], codes: list[str]) -> None:
    """Leave the sign-ins where scripts/server and a reader find them."""
    instance = current_app.config["SETTINGS"].instance
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/"
    told = {
        "address": address, "sign_ins": sign_ins, "diners": people.diners(), "till_codes": codes,
    }  # fmt: skip
    (instance / "demo.json").write_text(json.dumps(told, ensure_ascii=False, indent=1))


def _pay() -> None:
    """Send the approved payouts through the pretend provider, as two people of the city do."""
    pretend = provider.current() or provider.install(current_app.config["SETTINGS"])
    if pretend is not None:
        pretend.open_accounts(*city.accounts())
    with transaction():
        city.release_payouts()
    while any(deliver_outbox().values()):
        pass
    while pretend is not None and take_notices(pretend)["taken"]:
        pass
    paid = 1
    while paid:
        with transaction():
            paid = arriving.record_results(by=job("seed"), at=clock.now()).paid
