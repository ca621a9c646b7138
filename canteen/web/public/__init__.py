"""The public's pages: which canteens there are, what they cook, and what the elders' subsidy is."""

from __future__ import annotations

from canteen.web.public import canteens, subsidy
from canteen.web.public.door import blueprint

__all__ = ["blueprint", "canteens", "subsidy"]
