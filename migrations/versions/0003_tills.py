"""Tills, shifts and cash; refunds of single dishes; the cash part of an order"""

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

import canteen.db

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('offline_rules',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('per_elder', sa.Integer(), nullable=False),
    sa.Column('per_till', sa.Integer(), nullable=False),
    sa.Column('excess', sa.String(length=10), nullable=False),
    sa.Column('limit_fen', sa.Integer(), nullable=False),
    sa.Column('set_by', sa.String(length=60), nullable=False),
    sa.Column('set_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("excess IN ('canteen','programme')", name=op.f('ck_offline_rules_excess')),
    sa.CheckConstraint('limit_fen >= 0', name=op.f('ck_offline_rules_limit')),
    sa.CheckConstraint('per_elder BETWEEN 0 AND 21', name=op.f('ck_offline_rules_per_elder')),
    sa.CheckConstraint('per_till BETWEEN 0 AND 2000', name=op.f('ck_offline_rules_per_till')),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_offline_rules_district_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offline_rules')),
    sa.UniqueConstraint('district_code', 'from_on', name=op.f('uq_offline_rules_district_code_from_on'))
    )
    op.create_table('tills',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=20), nullable=False),
    sa.Column('salt', sa.String(length=32), nullable=False),
    sa.Column('enrolled_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('enrolled_by', sa.String(length=60), nullable=False),
    sa.Column('withdrawn_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('head', sa.Integer(), nullable=False),
    sa.Column('head_mac', sa.String(length=64), nullable=False),
    sa.Column('head_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('claimed', sa.Integer(), nullable=False),
    sa.Column('seen_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('drift_ms', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('alarm', sa.String(length=20), nullable=True),
    sa.Column('alarm_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint('head >= 0 AND claimed >= head', name=op.f('ck_tills_head')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_tills_canteen_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tills')),
    sa.UniqueConstraint('canteen_id', 'name', name=op.f('uq_tills_canteen_id_name'))
    )
    with op.batch_alter_table('tills', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tills_canteen_id'), ['canteen_id'], unique=False)

    op.create_table('enrolment_codes',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_by', sa.String(length=60), nullable=False),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('used_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('till_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_enrolment_codes_canteen_id')),
    sa.ForeignKeyConstraint(['till_id'], ['tills.id'], name=op.f('fk_enrolment_codes_till_id')),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_enrolment_codes'))
    )
    with op.batch_alter_table('enrolment_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_enrolment_codes_canteen_id'), ['canteen_id'], unique=False)

    op.create_table('shifts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('till_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('cashier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('opened_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('float_fen', sa.Integer(), nullable=False),
    sa.Column('closed_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('count', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('counted_fen', sa.Integer(), nullable=True),
    sa.Column('expected_fen', sa.Integer(), nullable=True),
    sa.Column('over_fen', sa.Integer(), nullable=True),
    sa.Column('left_fen', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.CheckConstraint('(closed_at IS NULL AND counted_fen IS NULL AND expected_fen IS NULL AND over_fen IS NULL AND left_fen IS NULL) OR (closed_at IS NOT NULL AND over_fen = counted_fen - expected_fen AND counted_fen >= 0 AND left_fen BETWEEN 0 AND counted_fen)', name=op.f('ck_shifts_closed')),
    sa.CheckConstraint('float_fen >= 0', name=op.f('ck_shifts_float')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_shifts_canteen_id')),
    sa.ForeignKeyConstraint(['cashier_id'], ['users.id'], name=op.f('fk_shifts_cashier_id')),
    sa.ForeignKeyConstraint(['till_id'], ['tills.id'], name=op.f('fk_shifts_till_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shifts')),
    sa.UniqueConstraint('till_id', 'number', name=op.f('uq_shifts_till_id_number'))
    )
    with op.batch_alter_table('shifts', schema=None) as batch_op:
        batch_op.create_index('ix_shifts_canteen_id_opened_at', ['canteen_id', 'opened_at'], unique=False)
        batch_op.create_index('uq_shifts_open', ['till_id'], unique=True, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))

    op.create_table('cash_moves',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('shift_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('fen', sa.Integer(), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('reason_code', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('moved_by', sa.String(length=60), nullable=False),
    sa.Column('moved_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('paid_in','paid_out','collected','refunded')", name=op.f('ck_cash_moves_kind')),
    sa.CheckConstraint('fen > 0', name=op.f('ck_cash_moves_positive')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_cash_moves_order_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shifts.id'], name=op.f('fk_cash_moves_shift_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cash_moves'))
    )
    with op.batch_alter_table('cash_moves', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cash_moves_shift_id'), ['shift_id'], unique=False)

    op.create_table('order_refunds',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('refunded_by', sa.String(length=60), nullable=False),
    sa.Column('reason_code', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('list_fen', sa.Integer(), nullable=False),
    sa.Column('discount_fen', sa.Integer(), nullable=False),
    sa.Column('payable_fen', sa.Integer(), nullable=False),
    sa.Column('cash_fen', sa.Integer(), nullable=False),
    sa.Column('booked_in', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint('list_fen = discount_fen + payable_fen', name=op.f('ck_order_refunds_parts_sum_to_list')),
    sa.CheckConstraint('list_fen > 0 AND discount_fen >= 0 AND cash_fen BETWEEN 0 AND payable_fen', name=op.f('ck_order_refunds_nothing_negative')),
    sa.ForeignKeyConstraint(['booked_in'], ['booking_runs.id'], name=op.f('fk_order_refunds_booked_in')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_refunds_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_refunds'))
    )
    with op.batch_alter_table('order_refunds', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_refunds_order_id'), ['order_id'], unique=False)
        batch_op.create_index('ix_order_refunds_to_book', ['on'], unique=False, sqlite_where=sa.text('booked_in IS NULL'), postgresql_where=sa.text('booked_in IS NULL'))

    op.create_table('till_entries',
    sa.Column('till_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('shift_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('cashier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('kept', sa.Boolean(), nullable=False),
    sa.Column('device_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('received_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('mac', sa.String(length=64), nullable=False),
    sa.Column('outcome', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('notes', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.CheckConstraint("kind IN ('open','sale','withdrawn','void','move','close')", name=op.f('ck_till_entries_kind')),
    sa.CheckConstraint('number > 0', name=op.f('ck_till_entries_number')),
    sa.ForeignKeyConstraint(['cashier_id'], ['users.id'], name=op.f('fk_till_entries_cashier_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_till_entries_order_id')),
    sa.ForeignKeyConstraint(['shift_id'], ['shifts.id'], name=op.f('fk_till_entries_shift_id')),
    sa.ForeignKeyConstraint(['till_id'], ['tills.id'], name=op.f('fk_till_entries_till_id')),
    sa.PrimaryKeyConstraint('till_id', 'number', name=op.f('pk_till_entries'))
    )
    with op.batch_alter_table('till_entries', schema=None) as batch_op:
        batch_op.create_index('ix_till_entries_order_id', ['order_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_till_entries_shift_id'), ['shift_id'], unique=False)

    op.create_table('order_refund_lines',
    sa.Column('refund_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('menu_item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.CheckConstraint('quantity BETWEEN 1 AND 50', name=op.f('ck_order_refund_lines_quantity')),
    sa.ForeignKeyConstraint(['menu_item_id'], ['menu_items.id'], name=op.f('fk_order_refund_lines_menu_item_id')),
    sa.ForeignKeyConstraint(['refund_id'], ['order_refunds.id'], name=op.f('fk_order_refund_lines_refund_id')),
    sa.PrimaryKeyConstraint('refund_id', 'menu_item_id', name=op.f('pk_order_refund_lines'))
    )
    _add_to_orders()
    op.add_column('users', sa.Column('pin_hash', sa.String(length=160), nullable=True))
    _make_append_only()

CASH_PART = (
    "cash_fen BETWEEN 0 AND payable_fen AND (payment = 'online' OR cash_fen = payable_fen)"
)
EXCESS = "excess_fen <= discount_fen"


def _add_to_orders() -> None:
    """What was sold before was paid all in cash or all online, and gave nothing in excess."""
    for name, kind in (
        ('packed_at', canteen.db.UTCDateTime(timezone=True)),
        ('sent_at', canteen.db.UTCDateTime(timezone=True)),
        ('served_by', sa.String(length=60)),
    ):
        op.add_column('orders', sa.Column(name, kind, nullable=True))
    # SQLite adds a check only together with a column, so the last column brings both.
    op.execute("ALTER TABLE orders ADD COLUMN cash_fen INTEGER DEFAULT 0 NOT NULL")
    op.execute("UPDATE orders SET cash_fen = payable_fen WHERE payment = 'cash'")
    op.execute(
        "ALTER TABLE orders ADD COLUMN excess_fen INTEGER DEFAULT 0 NOT NULL"
        f" CONSTRAINT ck_orders_cash_part CHECK ({CASH_PART})"
        f" CONSTRAINT ck_orders_excess CHECK ({EXCESS})"
    )


def _make_append_only() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            "CREATE TRIGGER till_entries_append_only BEFORE UPDATE OR DELETE ON till_entries"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for act in ('UPDATE', 'DELETE'):
        op.execute(
            f"CREATE TRIGGER till_entries_no_{act.lower()} BEFORE {act} ON till_entries"
            " BEGIN SELECT RAISE(ABORT, 'till_entries is append-only'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP TRIGGER till_entries_append_only ON till_entries')
    op.execute('ALTER TABLE users DROP COLUMN pin_hash')
    # A plain ALTER on both databases: rebuilding the table in SQLite would forget its checks.
    for column in ('excess_fen', 'cash_fen', 'served_by', 'sent_at', 'packed_at'):
        op.execute(f'ALTER TABLE orders DROP COLUMN {column}')

    op.drop_table('order_refund_lines')
    with op.batch_alter_table('till_entries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_till_entries_shift_id'))
        batch_op.drop_index('ix_till_entries_order_id')

    op.drop_table('till_entries')
    with op.batch_alter_table('order_refunds', schema=None) as batch_op:
        batch_op.drop_index('ix_order_refunds_to_book', sqlite_where=sa.text('booked_in IS NULL'), postgresql_where=sa.text('booked_in IS NULL'))
        batch_op.drop_index(batch_op.f('ix_order_refunds_order_id'))

    op.drop_table('order_refunds')
    with op.batch_alter_table('cash_moves', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_cash_moves_shift_id'))

    op.drop_table('cash_moves')
    with op.batch_alter_table('shifts', schema=None) as batch_op:
        batch_op.drop_index('uq_shifts_open', sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.drop_index('ix_shifts_canteen_id_opened_at')

    op.drop_table('shifts')
    with op.batch_alter_table('enrolment_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_enrolment_codes_canteen_id'))

    op.drop_table('enrolment_codes')
    with op.batch_alter_table('tills', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tills_canteen_id'))

    op.drop_table('tills')
    op.drop_table('offline_rules')
