"""The public's pages: canteens and what they cook, the elders' subsidy, receipts to check."""

from __future__ import annotations

from canteen.web.public import canteens, receipts, samples, subsidy
from canteen.web.public.door import blueprint

__all__ = ["blueprint", "canteens", "receipts", "samples", "subsidy"]
