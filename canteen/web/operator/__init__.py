"""The operator's desk: my canteens, my statements, where my money is."""

from canteen.web.operator import (  # noqa: F401
    account,
    correcting,
    desk,
    exports,
    money,
    notices,
    problems,
    statements,
    stories,
)
from canteen.web.operator.door import blueprint

__all__ = ["blueprint"]
