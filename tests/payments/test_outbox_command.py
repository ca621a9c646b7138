"""`canteen outbox` sends what is due, says what is stuck, and its exit code tells."""

from __future__ import annotations

from click.testing import CliRunner, Result

from canteen.cli.payments import outbox as command
from canteen.demo.provider import PretendProvider
from canteen.payments import outbox
from tests.payments.test_outbox import message, put_transfer


def run(*options: str) -> Result:
    return CliRunner().invoke(command, options)


def test_it_sends_what_is_due(provider: PretendProvider) -> None:
    put_transfer()
    shown = run("--show")
    assert "transfer payout:1\tdue " in shown.output
    assert provider.balance("acct_a") == 0
    sent = run()
    assert (sent.exit_code, sent.output.splitlines()[0]) == (0, "done=1 refused=0 down=0")
    assert provider.balance("acct_a") == 800
    assert run("--show").output == ""


def test_it_ends_with_one_and_the_reason_when_something_is_stuck(
    provider: PretendProvider,
) -> None:
    put_transfer(account="acct_later")
    stuck = run()
    assert stuck.exit_code == 1
    assert "given up\trefused: resource_missing: No such destination" in stuck.output
    provider.open_accounts("acct_later")
    again = run("--again", str(message().id))
    assert isinstance(again.exception, outbox.PayOutInstead), "a payout goes on in its batch"
    assert provider.balance("acct_later") == 0


def test_only_what_was_given_up_can_be_tried_again(provider: PretendProvider) -> None:
    put_transfer()
    refused = run("--again", str(message().id))
    assert refused.exception is not None
    assert message().state == "waiting"
