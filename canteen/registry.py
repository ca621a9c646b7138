"""Every table of the service, imported once so that migrations and verification see them all."""

from canteen import once as once
from canteen.access import models as access
from canteen.adjustments import models as adjustments
from canteen.audit import models as audit
from canteen.budgets import models as budgets
from canteen.canteens import models as canteens
from canteen.checks import models as checks
from canteen.elders import models as elders
from canteen.ledger import models as ledger
from canteen.menus import models as menus
from canteen.notices import models as notices
from canteen.orders import models as orders
from canteen.payments import models as payments
from canteen.payouts import models as payouts
from canteen.performance import models as performance
from canteen.settlements import models as settlements
from canteen.settlements import review_models as reviews
from canteen.subsidies import models as subsidies
from canteen.tasks import models as tasks
from canteen.territory import models as territory
from canteen.tills import models as tills

ROOMS = (
    access, adjustments, audit, budgets, canteens, checks, elders, ledger, menus, notices, once,
    orders, payments, payouts, performance, reviews, settlements, subsidies, tasks, territory,
    tills,
)
