"""What the checks of the meals found, what was decided, and how districts set them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import canteen.db

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('check_settings',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('code', sa.String(length=30), nullable=False),
    sa.Column('mode', sa.String(length=6), nullable=False),
    sa.Column('thresholds', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('set_by', sa.String(length=60), nullable=False),
    sa.Column('set_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("mode IN ('ignore','warn','hold')", name=op.f('ck_check_settings_mode')),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_check_settings_district_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_settings')),
    sa.UniqueConstraint('district_code', 'code', 'from_on', name=op.f('uq_check_settings_district_code_code_from_on'))
    )

    op.create_table('suspicions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=30), nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('evidence', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('mode', sa.String(length=6), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('found_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('decided_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.String(length=60), nullable=True),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('false_alarm', sa.Boolean(), nullable=False),
    sa.CheckConstraint("(state IN ('paid','denied')) = (decided_at IS NOT NULL)", name=op.f('ck_suspicions_decided')),
    sa.CheckConstraint("mode IN ('warn','hold')", name=op.f('ck_suspicions_mode')),
    sa.CheckConstraint("state IN ('open','asked','paid','denied','cleared')", name=op.f('ck_suspicions_state')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_suspicions_canteen_id')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_suspicions_elder_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_suspicions_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suspicions')),
    sa.UniqueConstraint('code', 'key', name=op.f('uq_suspicions_code_key'))
    )
    op.create_index(op.f('ix_suspicions_elder_id'), 'suspicions', ['elder_id'], unique=False)
    op.create_index(op.f('ix_suspicions_order_id'), 'suspicions', ['order_id'], unique=False)
    op.create_index('ix_suspicions_period_canteen_id', 'suspicions', ['period', 'canteen_id'], unique=False)

    op.create_table('suspicion_steps',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('suspicion_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('verdict', sa.String(length=10), nullable=False),
    sa.Column('by_user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_label', sa.String(length=60), nullable=False),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('false_alarm', sa.Boolean(), nullable=False),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("verdict IN ('found','cleared','ask','answer','pay','deny','reopen')", name=op.f('ck_suspicion_steps_verdict')),
    sa.ForeignKeyConstraint(['by_user_id'], ['users.id'], name=op.f('fk_suspicion_steps_by_user_id')),
    sa.ForeignKeyConstraint(['suspicion_id'], ['suspicions.id'], name=op.f('fk_suspicion_steps_suspicion_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suspicion_steps'))
    )
    op.create_index(op.f('ix_suspicion_steps_suspicion_id'), 'suspicion_steps', ['suspicion_id'], unique=False)
    _make_append_only()


def _make_append_only() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            "CREATE TRIGGER suspicion_steps_append_only BEFORE UPDATE OR DELETE ON suspicion_steps"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for act in ('UPDATE', 'DELETE'):
        op.execute(
            f"CREATE TRIGGER suspicion_steps_no_{act.lower()} BEFORE {act} ON suspicion_steps"
            " BEGIN SELECT RAISE(ABORT, 'suspicion_steps is append-only'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP TRIGGER suspicion_steps_append_only ON suspicion_steps')
    op.drop_index(op.f('ix_suspicion_steps_suspicion_id'), table_name='suspicion_steps')
    op.drop_table('suspicion_steps')
    op.drop_index('ix_suspicions_period_canteen_id', table_name='suspicions')
    op.drop_index(op.f('ix_suspicions_order_id'), table_name='suspicions')
    op.drop_index(op.f('ix_suspicions_elder_id'), table_name='suspicions')
    op.drop_table('suspicions')
    op.drop_table('check_settings')
