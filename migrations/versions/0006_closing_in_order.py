"""Grants in the order a closing reads them"""

from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

NAME = 'ix_grants_period_canteen_id'


def upgrade() -> None:
    op.drop_index(NAME, table_name='grants')
    op.create_index(NAME, 'grants', ['period', 'canteen_id', 'funding_id', 'number', 'order_id'])


def downgrade() -> None:
    op.drop_index(NAME, table_name='grants')
    op.create_index(NAME, 'grants', ['period', 'canteen_id'])
