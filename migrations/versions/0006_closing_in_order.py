"""What a closing reads and writes most: grants in its order, samples without locking orders"""

import sqlalchemy as sa
from alembic import op

import canteen.db

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

INDEX = 'ix_grants_period_canteen_id'
FULL_PRICE = 'ix_orders_full_price'
AT_FULL_PRICE = sa.text('elder_id IS NOT NULL AND subsidy_fen = 0')
KEY = 'fk_sampled_meals_order_id'
OLD_VERDICTS = ('found', 'cleared', 'ask', 'answer', 'pay', 'deny', 'reopen')
NEW_VERDICTS = (*OLD_VERDICTS, 'grown', 'note')
OLD_APPEALS = ('filed', 'upheld', 'rejected')
# What gave a meal again after the denial an appeal is about; instalments leave it denied.
LIFTED = (
    " FROM grants g JOIN grants d ON d.id = appeals.grant_id"
    " WHERE g.order_id = appeals.order_id AND g.number > d.number AND g.sign > 0"
    " AND g.cause <> 'spread'"
)


def upgrade() -> None:
    _let_steps_be(NEW_VERDICTS)
    op.add_column('check_settings', sa.Column('reason', sa.String(400), nullable=False, server_default=''))
    op.drop_index(INDEX, table_name='grants')
    op.create_index(INDEX, 'grants', ['period', 'canteen_id', 'funding_id', 'number', 'order_id'])
    op.create_index(
        FULL_PRICE, 'orders', ['on', 'elder_id', 'canteen_id'],
        sqlite_where=AT_FULL_PRICE, postgresql_where=AT_FULL_PRICE,
    )
    op.create_table(
        'explained_mismatches',
        sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.Column('problem', sa.String(30), nullable=False),
        sa.Column('reference', sa.String(240), nullable=False),
        sa.Column('reason', sa.String(400), nullable=False),
        sa.Column('explained_by', sa.String(60), nullable=False),
        sa.Column('explained_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_explained_mismatches')),
        sa.UniqueConstraint('problem', 'reference', name=op.f('uq_explained_mismatches_problem_reference')),
    )
    # A column brings its own check, so that no table is made anew.
    op.execute(
        "ALTER TABLE true_ups ADD COLUMN paid_by VARCHAR(60)"
        " CONSTRAINT ck_true_ups_payer CHECK (paid_by <> prepared_by)"
    )
    op.execute("ALTER TABLE true_ups ADD COLUMN paid_on DATE")
    op.execute("ALTER TABLE true_ups ADD COLUMN reference VARCHAR(60)")
    op.execute(
        "UPDATE true_ups SET paid_by = confirmed_by, reference = 'true-up:' || id, paid_on ="
        " (SELECT e.\"on\" FROM entries e WHERE e.key = 'true-up:' || true_ups.id)"
        " WHERE state = 'paid'"
    )
    op.create_index('uq_true_ups_reference', 'true_ups', ['reference'], unique=True)
    op.execute(
        "ALTER TABLE repayments ADD COLUMN confirmed_by VARCHAR(60)"
        " CONSTRAINT ck_repayments_two_people CHECK (confirmed_by <> noted_by)"
    )
    op.add_column('repayments', sa.Column('confirmed_at', canteen.db.UTCDateTime(timezone=True)))
    # Those noted when one hand was enough are booked; nobody is said to have checked them.
    op.execute("UPDATE repayments SET confirmed_by = 'job:one_hand', confirmed_at = noted_at")
    with op.batch_alter_table('sampled_meals') as table:
        table.drop_constraint(KEY, type_='foreignkey')
    _let_appeals_be((*OLD_APPEALS, 'moot'))
    op.execute(
        "UPDATE appeals SET state = 'moot', decided_at = (SELECT min(g.made_at)" + LIFTED + ")"
        " WHERE state = 'filed' AND EXISTS (SELECT 1" + LIFTED + ")"
    )


def downgrade() -> None:
    op.execute("UPDATE appeals SET state = 'rejected' WHERE state = 'moot'")
    _let_appeals_be(OLD_APPEALS)
    op.execute('ALTER TABLE check_settings DROP COLUMN reason')
    _let_steps_be(OLD_VERDICTS)
    op.drop_table('explained_mismatches')
    op.drop_index('uq_true_ups_reference', table_name='true_ups')
    op.execute("DELETE FROM repayments WHERE confirmed_at IS NULL")
    for column in ('confirmed_at', 'confirmed_by'):
        op.execute(f"ALTER TABLE repayments DROP COLUMN {column}")
    for column in ('reference', 'paid_on', 'paid_by'):
        op.execute(f"ALTER TABLE true_ups DROP COLUMN {column}")
    with op.batch_alter_table('sampled_meals') as table:
        table.create_foreign_key(KEY, 'orders', ['order_id'], ['id'])
    op.drop_index(INDEX, table_name='grants')
    op.create_index(INDEX, 'grants', ['period', 'canteen_id'])
    op.drop_index(FULL_PRICE, table_name='orders')


def _let_appeals_be(states: tuple[str, ...]) -> None:
    """The states an objection may have."""
    name = op.f('ck_appeals_state')
    with op.batch_alter_table('appeals') as table:
        table.drop_constraint(name, type_='check')
        table.create_check_constraint(name, f'state IN {states}')


def _let_steps_be(verdicts: tuple[str, ...]) -> None:
    """The steps of a finding's story may be these; they stay append-only."""
    name = op.f('ck_suspicion_steps_verdict')
    with op.batch_alter_table('suspicion_steps') as table:
        table.drop_constraint(name, type_='check')
        table.create_check_constraint(name, f'verdict IN {verdicts}')
    if op.get_bind().dialect.name == 'postgresql':
        return
    for act in ('update', 'delete'):
        op.execute(
            f"CREATE TRIGGER suspicion_steps_no_{act} BEFORE {act.upper()} ON suspicion_steps"
            " BEGIN SELECT RAISE(ABORT, 'suspicion_steps is append-only'); END"
        )
