"""The operator's desk: my canteens, my statements, where my money is."""

from canteen.web.operator import desk, exports, problems, statements  # noqa: F401
from canteen.web.operator.door import blueprint

__all__ = ["blueprint"]
