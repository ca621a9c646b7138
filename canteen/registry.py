"""Every table of the service, imported once so that migrations and verification see them all."""

from canteen import once as once
from canteen.access import models as access
from canteen.audit import models as audit
from canteen.canteens import models as canteens
from canteen.checks import models as checks
from canteen.elders import models as elders
from canteen.ledger import models as ledger
from canteen.menus import models as menus
from canteen.orders import models as orders
from canteen.payments import models as payments
from canteen.performance import models as performance
from canteen.settlements import models as settlements
from canteen.subsidies import models as subsidies
from canteen.territory import models as territory
from canteen.tills import models as tills

ROOMS = (
    access, audit, canteens, checks, elders, ledger, menus, once, orders, payments, performance,
    settlements, subsidies, territory, tills,
)
