"""Check policy files, and try them on cases: what each meal would cost, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import click

from canteen.errors import CanteenError
from canteen.subsidies.cases import BadCase, Case, Quote
from canteen.subsidies.policies import (
    SHIPPED,
    NoPolicyInForce,
    Overlay,
    Policy,
    PolicyInvalid,
    check_set,
    in_force,
    load_folder,
    merge,
    policy_for,
    read_file,
)
from canteen.subsidies.pricing import quote
from canteen.subsidies.shapes import CATEGORIES
from canteen.words import Text

Documents = list[Policy | Overlay]


class UnknownPolicy(CanteenError):
    """No shipped policy has this code or name, and no file this path."""

    code = "unknown_policy"
    text = Text(
        "没有名为 {name} 的政策；现有：{known}", "No policy is called {name}; there are: {known}"
    )


@click.group()
def policy() -> None:
    """The published policies as data: check a file, try cases, list and show."""


@policy.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check policy FILES (or folders), each alone and all together for gaps and overlaps.

    Prints one line for each sound file. A defect is named on stderr by its key with the reason,
    and the exit code is 2.
    """
    paths = [p for f in files for p in (sorted(f.glob("*.toml")) if f.is_dir() else [f])]
    documents: Documents = []
    faults = 0
    for path in paths:
        try:
            documents.append(read_file(path))
        except PolicyInvalid as error:
            faults += _complain(error, path.name)
    if not faults:
        try:
            check_set(documents + _bases_of(documents))
        except PolicyInvalid as error:
            faults += _complain(error, "")
    if faults:
        sys.exit(2)
    for document in documents:
        click.echo(f"{document.code}  {document.document}  {document.digest[:12]}")


@policy.command("try")
@click.argument("cases", type=click.File("rb"))
@click.option(
    "--policy",
    "name",
    metavar="NAME",
    help="A code (tianjin-V2022), a family (tianjin) or a file; else the one in force that day.",
)
def try_(cases: Any, name: str | None) -> None:
    """Price each case of CASES.json (a list or one object; - reads stdin) and print it as JSON.

    Each answer has the sums in fen, `funders` (by side: elder, enterprise, delivery; what each
    pays in fen) and `why` (every step: code, params, zh, en). Bad input is named on stderr by
    case and key, nothing is printed and the exit code is 2.
    """
    try:
        documents = load_folder()
        chosen = _named(name, documents) if name else None
        answers = [_answer(i, raw, documents, chosen) for i, raw in enumerate(_read_cases(cases))]
    except CanteenError as refusal:
        _stop(refusal)
    click.echo(json.dumps(answers, ensure_ascii=False, indent=2))


@policy.command("list")
def list_() -> None:
    """List the shipped policies: code, territory, first and last day, title."""
    documents = load_folder()
    for document in documents:
        extends = f" + {document.extends}" if isinstance(document, Overlay) else ""
        last = _last_day(document, documents)
        click.echo(
            f"{document.code:<24} {document.territory}  {document.effective_from}"
            f" – {last or ''!s:<10}  {document.title.zh} / {document.title.en}{extends}"
        )


@policy.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the policy called NAME (a code, a family or a file) as it is kept: canonical JSON."""
    try:
        documents = load_folder()
        found = _named(name, documents)
    except CanteenError as refusal:
        _stop(refusal)
    for document in found:
        body = json.loads(document.to_json())
        about = {"code": document.code, "digest": document.digest}
        click.echo(json.dumps(about | body, ensure_ascii=False, indent=2))


def _answer(index: int, raw: Any, documents: Documents, chosen: Documents | None) -> dict[str, Any]:
    """One case priced. Refuses naming the case and the key."""
    try:
        case = Case.from_dict(raw)
        if chosen is None:
            found = policy_for(documents, case.district, case.on)
        else:
            found = _pick(chosen, documents, case.on)
        _known_categories(case, [*documents, found])
        return _shown(found, quote(found, case))
    except CanteenError as refusal:
        where = f"cases[{index}]" + (f".{refusal.field}" if refusal.field else "")
        raise BadCase(refusal.text, code=refusal.code, field=where) from refusal


def _shown(found: Policy, priced: Quote) -> dict[str, Any]:
    return {
        "policy": found.code,
        "list_fen": priced.list_fen,
        "discount_fen": priced.discount_fen,
        "subsidy_fen": priced.subsidy_fen,
        "account_fen": priced.account_fen,
        "payable_fen": priced.payable_fen,
        "enterprise_fen": priced.enterprise_fen,
        "delivery_fen": priced.delivery_fen,
        "group": priced.group,
        "uses_quota": priced.uses_quota,
        "funders": priced.funders(),
        "why": priced.why(),
    }


def _read_cases(file: Any) -> list[Any]:
    try:
        raw = json.loads(file.read().decode())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        reason = Text("用例文件不是有效的 JSON:{why}", "The cases are not valid JSON: {why}")
        raise BadCase(reason.format(why=error)) from error
    return raw if isinstance(raw, list) else [raw]


def _known_categories(case: Case, documents: Iterable[Policy | Overlay]) -> None:
    """Refuse a category no policy has ever heard of: it would silently count for nothing."""
    known = set(CATEGORIES) | {c.code for d in documents for c in d.categories}
    unknown = sorted((case.elder.categories if case.elder else frozenset()) - known)
    if unknown:
        reason = Text("未知类别 {code}；可用：{known}", "Unknown category {code}; known: {known}")
        raise BadCase(
            reason.format(code=unknown[0], known=", ".join(sorted(known))), field="elder.categories"
        )


def _named(name: str, documents: Documents) -> Documents:
    """The documents a name means: one version by its code, a whole family, or a file."""
    if name.endswith(".toml") or "/" in name:
        return [read_file(Path(name))]
    wanted = name.lower().replace("+", "-")
    for fits in (
        lambda d: d.code.lower() == wanted,
        lambda d: d.name == wanted,
        lambda d: d.name.endswith(f"-{wanted}"),
    ):
        if found := [d for d in documents if fits(d)]:
            return found
    known = ", ".join(d.code for d in documents)
    raise UnknownPolicy(name=name, known=known)


def _pick(chosen: Documents, documents: Documents, on: date) -> Policy:
    """The version for a day among those named; the only one named counts on any day.

    An overlay is laid over the version of its base in force on that day.
    """
    if len(chosen) == 1:
        found = chosen[0]
    else:
        versions = [d for d in chosen if in_force(d, chosen, on)]
        if not versions:
            raise NoPolicyInForce(field="on", territory=chosen[0].name, on=on.isoformat())
        found = versions[0]
    if isinstance(found, Policy):
        return found
    bases = [d for d in documents if d.name == found.extends and isinstance(d, Policy)]
    for base in bases:
        if in_force(base, bases, on):
            return merge(base, found)
    raise NoPolicyInForce(field="on", territory=found.extends, on=on.isoformat())


def _bases_of(documents: Documents) -> Documents:
    """The shipped versions that overlays among these files extend, unless given themselves."""
    given = {d.name for d in documents}
    missing = {d.extends for d in documents if isinstance(d, Overlay)} - given
    return [d for d in load_folder(SHIPPED) if d.name in missing] if missing else []


def _last_day(document: Policy | Overlay, documents: Documents) -> date | None:
    """The last day of a version: its own, or the one before the next version's first."""
    later = [
        d.effective_from
        for d in documents
        if d.name == document.name and d.effective_from > document.effective_from
    ]
    ends = [date.fromordinal(min(later).toordinal() - 1)] if later else []
    return min([*ends, *([document.effective_to] if document.effective_to else [])], default=None)


def _complain(error: PolicyInvalid, name: str) -> int:
    """Each defect on its own line of stderr; how many there were."""
    for defect in error.defects:
        where = ": ".join(part for part in (name or error.source, defect.path) if part)
        click.echo(f"{where}: {defect.reason.zh} / {defect.reason.en}", err=True)
    return len(error.defects)


def _stop(refusal: CanteenError) -> NoReturn:
    if isinstance(refusal, PolicyInvalid):
        _complain(refusal, refusal.source)
    else:
        click.echo(str(refusal), err=True)
    sys.exit(2)
