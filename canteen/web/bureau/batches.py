"""Payout batches at the city: made by one, released by another; bank files both ways."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.audit.recording import record
from canteen.budgets import guarding
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.payouts import bank_file, bank_returns, batching, finding
from canteen.payouts.models import BankReturn
from canteen.payouts.reading_returns import MOST_BYTES, BadFile
from canteen.settlements.models import Payout
from canteen.web.bureau import trail
from canteen.web.bureau.door import PAGE, asked_page, blueprint
from canteen.web.errors import rendered
from canteen.web.forms import point, row_ids
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text

LINE_STATES = {
    "waiting": Text("等结果", "No result yet"), "paid": Text("已到账", "Paid"),
    "failed": Text("失败", "Failed"),
}  # fmt: skip


@blueprint.get("/batches")
@guard("city")
def batches() -> ResponseReturnValue:
    """The batches, those that wait for somebody first, and the files the bank sent back."""
    page = asked_page()
    returns = db.session.query(BankReturn).order_by(BankReturn.id.desc()).limit(10).all()
    return render_template(
        "bureau/batches.html", rows=finding.batches(PAGE + 1, (page - 1) * PAGE), page=page,
        size=PAGE, ways=batching.WAYS, states=batching.BATCH_STATES, ready=finding.ready_sums(),
        returns=returns, me=actor().label,
    )


@blueprint.get("/batches/new")
@guard("city")
def new_batch() -> ResponseReturnValue:
    """What may be paid, all of it ticked, and how it is to go."""
    return _new_page()


@blueprint.post("/batches")
@guard("city")
def make_batch() -> ResponseReturnValue:
    """Put the ticked payouts into a batch, to be released by a colleague."""
    form = request.form
    try:
        with transaction():
            batch = batching.make(
                row_ids(form.getlist("payout_ids")), form.get("way", ""), actor(),
                at=clock.now(), note=form.get("note", ""),
            )  # fmt: skip
    except CanteenError as refusal:
        return _new_page(refusal)
    flash(t("批次已编制，请另一位同事复核放行", "Made; a colleague must release it"), "done")
    return redirect(url_for("bureau.show_batch", batch_id=batch.id), 303)


@blueprint.get("/batches/<int:batch_id>")
@guard("city")
def show_batch(batch_id: int) -> ResponseReturnValue:
    """A batch with its lines."""
    return _batch_page(batch_id)


@blueprint.post("/batches/<int:batch_id>/release")
@guard("city")
def release_batch(batch_id: int) -> ResponseReturnValue:
    """Let it be paid: exactly the lines that were shown."""
    try:
        with transaction():
            batch = batching.release(
                batch_id, request.form.get("digest", ""), actor(), at=clock.now()
            )
    except CanteenError as refusal:
        return _batch_page(batch_id, refusal)
    flash(
        t("已放行，平台几分钟内付款", "Released; the provider pays within minutes")
        if batch.way == "gateway"
        else t("已放行，请下载银行文件", "Released; download the bank file"), "done",
    )  # fmt: skip
    return redirect(url_for("bureau.show_batch", batch_id=batch_id), 303)


@blueprint.post("/batches/<int:batch_id>/cancellation")
@guard("city")
def cancel_batch(batch_id: int) -> ResponseReturnValue:
    """Let a draft go; its payouts are ready for another."""
    try:
        with transaction():
            batching.cancel(batch_id, request.form.get("reason", ""), actor(), at=clock.now())
    except CanteenError as refusal:
        point(refusal, "cancel-{}")
        return _batch_page(batch_id, refusal)
    flash(t("批次已取消，款项可重新编制", "Cancelled; its payouts are ready for another"), "done")
    return redirect(url_for("bureau.batches"), 303)


@blueprint.post("/batches/<int:batch_id>/file")
@guard("city")
def bank_file_of(batch_id: int) -> ResponseReturnValue:
    """The file for the bank; it names accounts in full, so the trail says who took it out."""
    content, by = bank_file.written(batch_id), actor()
    with transaction():
        record(by.label, "export", "batch", batch_id,
               {"format": "csv", "rows": finding.batch(batch_id).count})  # fmt: skip
    name = bank_file.name_of(batch_id)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, mimetype="text/csv", headers=headers)


@blueprint.post("/batches/returns")
@guard("city", body=MOST_BYTES + 64 * 1024)
def take_return() -> ResponseReturnValue:
    """Take in the file the bank sent back."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            said = Text("请选择银行回盘文件", "Choose the file the bank sent back")
            raise BadFile(said, field="file")
        content = sent.stream.read(MOST_BYTES + 1)
        with transaction():
            outcome = bank_returns.take_in(content, sent.filename, actor(), at=clock.now())
    except CanteenError as refusal:
        return _list_refused(refusal)
    if outcome.already:
        flash(t("这个文件已经导入过，没有改动", "Taken in before; nothing changed"), "look")
    return redirect(url_for("bureau.bank_return", return_id=outcome.id), 303)


@blueprint.get("/batches/returns/<int:return_id>")
@guard("city")
def bank_return(return_id: int) -> ResponseReturnValue:
    """What a file of the bank came to."""
    found = db.session.get_one(BankReturn, return_id)
    return render_template("bureau/bank_return.html", found=found)


def _list_refused(refusal: CanteenError) -> ResponseReturnValue:
    return rendered(
        "bureau/batches.html", rows=finding.batches(PAGE + 1), page=1, size=PAGE,
        ways=batching.WAYS, states=batching.BATCH_STATES, ready=finding.ready_sums(),
        returns=db.session.query(BankReturn).order_by(BankReturn.id.desc()).limit(10).all(),
        me=actor().label, refusal=refusal,
    )


def _new_page(refusal: CanteenError | None = None) -> ResponseReturnValue:
    ready = sa.select(Payout.statement_id).where(batching.ready())
    return rendered(
        "bureau/batch_new.html", short=guarding.short_for(actor(), ready, on=clock.business_date()),
        rows=finding.ready_payouts(), ready=finding.ready_sums(),
        ways=batching.WAYS, refusal=refusal, given=request.form,
        picked=row_ids(request.form.getlist("payout_ids")) if refusal else None,
    )


def _batch_page(batch_id: int, refusal: CanteenError | None = None) -> ResponseReturnValue:
    batch = finding.batch(batch_id)
    lines = finding.lines_of(batch_id)
    sums = {
        state: (sum(1 for one in lines if one.line.state == state),
                sum(one.line.amount_fen for one in lines if one.line.state == state))
        for state in LINE_STATES
    }  # fmt: skip
    inside = sa.select(Payout.statement_id).where(Payout.batch_id == batch_id)
    draft = batch.state == "draft"
    return rendered(
        "bureau/batch.html",
        short=guarding.short_for(actor(), inside, on=clock.business_date()) if draft else [],
        batch=batch, lines=lines, sums=sums, ways=batching.WAYS,
        states=batching.BATCH_STATES, line_states=LINE_STATES, refusal=refusal,
        given=request.form,
        own=batch.made_by == actor().label,
        reference=bank_file.reference_of, number=bank_file.number_of(batch_id),
        marks=trail.of("batch", batch_id),
    )
