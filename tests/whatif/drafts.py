"""A made-up draft of the city's policy, as a file and read."""

from __future__ import annotations

from canteen.subsidies.policies import Policy, read_toml

DRAFT = """
name = "tianjin"
version = "V2027"
title = {{ zh = "草案", en = "A draft" }}
document = "草案"
source_mark = "D"
territory = "120000"
effective_from = 2027-01-01
meals = ["breakfast", "lunch", "dinner"]
caps = {{ per_day = 1, per_week = 5 }}

[[eligibility]]
code = "all"
title = {{ zh = "60周岁及以上", en = "60 or over" }}
min_age = 60

[standard_set]
default_fen = 1000

[[layers]]
code = "meal"
title = {{ zh = "补贴", en = "Subsidy" }}
amount = {{ kind = "flat", fen = {fen} }}
funders = [{{ code = "city", share_bp = 5000 }}, {{ code = "district", share_bp = 5000 }}]
"""


def draft(fen: int) -> Policy:
    """So many fen for everybody from 60 on, at meals of ten yuan or more."""
    read = read_toml(DRAFT.format(fen=fen))
    assert isinstance(read, Policy)
    return read
