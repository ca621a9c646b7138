"""Who acts: a person or a job, the role they hold and the ground it reaches."""

from __future__ import annotations

from dataclasses import dataclass

from canteen.errors import Forbidden
from canteen.territory.models import within
from canteen.words import Text

ROLES = {
    "city": Text("市民政局", "City civil affairs"),
    "district": Text("区民政局", "District civil affairs"),
    "street": Text("街道乡镇", "Street office"),
    "evaluator": Text("第三方评估", "Evaluator"),
    "operator": Text("运营企业", "Operator"),
    "manager": Text("食堂经理", "Canteen manager"),
    "cashier": Text("收银员", "Cashier"),
    "elder": Text("老人", "Elder"),
    "family": Text("家属", "Family member"),
    "job": Text("定时任务", "Timetable"),
}
BUREAU = ("street", "district", "city")
# Who decides about money, the list and the rules.
DECIDERS = ("district", "city")
COUNTER = ("cashier", "manager")
HOME = ("elder", "family")


@dataclass(frozen=True)
class Actor:
    """Who acts. Staff have a `territory`; canteen people a canteen; operators an operator;
    elders and family the elders they may order for."""

    role: str
    user_id: int | None = None
    name: str = ""
    territory: str | None = None
    operator_id: int | None = None
    canteen_id: int | None = None
    elder_ids: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """How facts and audit records name the actor: "user:7", "job:judge"."""
        return f"user:{self.user_id}" if self.user_id is not None else f"job:{self.name}"

    @property
    def role_text(self) -> Text:
        """The role in both languages."""
        return ROLES[self.role]

    def reaches(self, territory: str | None) -> bool:
        """Whether a street or district lies on this actor's ground."""
        if self.role == "job":
            return True
        return self.territory is not None and within(territory, self.territory)

    def must_be(self, *roles: str) -> None:
        """Refuse with Forbidden unless the actor holds one of the roles (jobs always may)."""
        if self.role != "job" and self.role not in roles:
            raise Forbidden()


def job(name: str) -> Actor:
    """The actor a job or a command acts as."""
    return Actor(role="job", name=name)
