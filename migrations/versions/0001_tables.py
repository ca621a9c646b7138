"""Every table of the rooms"""

import sqlalchemy as sa
from alembic import op

import canteen.db
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('accounts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('book', sa.String(length=40), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts')),
    sa.UniqueConstraint('book', 'code', name=op.f('uq_accounts_book_code'))
    )
    op.create_table('audit_records',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=60), nullable=False),
    sa.Column('act', sa.String(length=60), nullable=False),
    sa.Column('subject', sa.String(length=60), nullable=False),
    sa.Column('subject_id', sa.String(length=40), nullable=False),
    sa.Column('detail', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('previous_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_records')),
    sa.UniqueConstraint('hash', name=op.f('uq_audit_records_hash'))
    )
    with op.batch_alter_table('audit_records', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_records_actor'), ['actor'], unique=False)
        batch_op.create_index('ix_audit_records_subject', ['subject', 'subject_id'], unique=False)

    op.create_table('booking_runs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('up_to', sa.Date(), nullable=False),
    sa.Column('run_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('run_by', sa.String(length=60), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_booking_runs'))
    )
    op.create_table('entries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('memo', sa.String(length=200), nullable=False),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('reverses_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['reverses_id'], ['entries.id'], name=op.f('fk_entries_reverses_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entries')),
    sa.UniqueConstraint('key', name=op.f('uq_entries_key')),
    sa.UniqueConstraint('reverses_id', name=op.f('uq_entries_reverses_id'))
    )
    with op.batch_alter_table('entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_entries_on'), ['on'], unique=False)

    op.create_table('failed_sign_ins',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('who', sa.String(length=64), nullable=False),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_failed_sign_ins'))
    )
    with op.batch_alter_table('failed_sign_ins', schema=None) as batch_op:
        batch_op.create_index('ix_failed_sign_ins_who_at', ['who', 'at'], unique=False)

    op.create_table('fundings',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('till_fen', sa.Integer(), nullable=False),
    sa.Column('account_fen', sa.Integer(), nullable=False),
    sa.Column('enterprise_fen', sa.Integer(), nullable=False),
    sa.Column('delivery_fen', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fundings')),
    sa.UniqueConstraint('digest', name=op.f('uq_fundings_digest'))
    )
    op.create_table('job_runs',
    sa.Column('job', sa.String(length=20), nullable=False),
    sa.Column('due', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('done_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('result', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('job', 'due', name=op.f('pk_job_runs'))
    )
    op.create_table('once_keys',
    sa.Column('owner', sa.String(length=40), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('answer', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=True),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('owner', 'key', name=op.f('pk_once_keys'))
    )
    with op.batch_alter_table('once_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_once_keys_made_at'), ['made_at'], unique=False)

    op.create_table('operators',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('uscc', sa.String(length=18), nullable=False),
    sa.Column('contact', sa.String(length=40), nullable=False),
    sa.Column('phone', sa.String(length=20), nullable=False),
    sa.Column('payout_account', sa.String(length=60), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operators')),
    sa.UniqueConstraint('uscc', name=op.f('uq_operators_uscc'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('reference', sa.String(length=40), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('payload', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('done_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('provider_id', sa.String(length=60), nullable=True),
    sa.Column('last_error', sa.String(length=300), nullable=True),
    sa.CheckConstraint("state IN ('waiting','done','dead')", name=op.f('ck_outbox_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('key', name=op.f('uq_outbox_key'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_reference', ['reference'], unique=False)
        batch_op.create_index('ix_outbox_state_due_at', ['state', 'due_at'], unique=False)

    op.create_table('periods',
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('closed_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.String(length=60), nullable=True),
    sa.PrimaryKeyConstraint('period', name=op.f('pk_periods'))
    )
    op.create_table('provider_events',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=60), nullable=False),
    sa.Column('payload', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('received_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider_events'))
    )
    op.create_table('territories',
    sa.Column('code', sa.String(length=9), nullable=False),
    sa.Column('level', sa.String(length=8), nullable=False),
    sa.Column('parent_code', sa.String(length=9), nullable=True),
    sa.Column('name_zh', sa.String(length=40), nullable=False),
    sa.Column('name_en', sa.String(length=60), nullable=False),
    sa.CheckConstraint("level IN ('city','district','street')", name=op.f('ck_territories_level')),
    sa.ForeignKeyConstraint(['parent_code'], ['territories.code'], name=op.f('fk_territories_parent_code')),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_territories'))
    )
    with op.batch_alter_table('territories', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_territories_parent_code'), ['parent_code'], unique=False)

    op.create_table('canteens',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('name_en', sa.String(length=80), nullable=False),
    sa.Column('street_code', sa.String(length=9), nullable=False),
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('carrier', sa.String(length=20), nullable=False),
    sa.Column('tier', sa.SmallInteger(), nullable=False),
    sa.Column('demonstration', sa.Boolean(), nullable=False),
    sa.Column('capabilities', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('supplier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('address', sa.String(length=120), nullable=False),
    sa.Column('phone', sa.String(length=20), nullable=False),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('area_m2', sa.Integer(), nullable=False),
    sa.Column('open_weekdays', sa.String(length=7), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('status_since', sa.Date(), nullable=False),
    sa.Column('grade', sa.String(length=12), nullable=True),
    sa.CheckConstraint('supplier_id IS NULL OR supplier_id <> id', name=op.f('ck_canteens_supplier')),
    sa.CheckConstraint('tier IN (1, 2, 3)', name=op.f('ck_canteens_tier')),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_canteens_district_code')),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_canteens_operator_id')),
    sa.ForeignKeyConstraint(['street_code'], ['territories.code'], name=op.f('fk_canteens_street_code')),
    sa.ForeignKeyConstraint(['supplier_id'], ['canteens.id'], name=op.f('fk_canteens_supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_canteens')),
    sa.UniqueConstraint('code', name=op.f('uq_canteens_code'))
    )
    with op.batch_alter_table('canteens', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_canteens_district_code'), ['district_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_canteens_operator_id'), ['operator_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_canteens_status'), ['status'], unique=False)
        batch_op.create_index(batch_op.f('ix_canteens_street_code'), ['street_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_canteens_supplier_id'), ['supplier_id'], unique=False)

    op.create_table('elders',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ric_cipher', sa.LargeBinary(), nullable=False),
    sa.Column('ric_hash', sa.String(length=64), nullable=False),
    sa.Column('ric_last4', sa.String(length=4), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('birth_date', sa.Date(), nullable=False),
    sa.Column('phone', sa.String(length=20), nullable=True),
    sa.Column('phone_last4', sa.String(length=4), nullable=True),
    sa.Column('household', sa.String(length=9), nullable=False),
    sa.Column('street_code', sa.String(length=9), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('payout_account', sa.String(length=60), nullable=True),
    sa.Column('diet_notes', sa.String(length=120), nullable=False),
    sa.Column('registered_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('updated_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("status IN ('alive','moved','in_institution','deceased')", name=op.f('ck_elders_status')),
    sa.ForeignKeyConstraint(['street_code'], ['territories.code'], name=op.f('fk_elders_street_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_elders')),
    sa.UniqueConstraint('ric_hash', name=op.f('uq_elders_ric_hash'))
    )
    with op.batch_alter_table('elders', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_elders_name'), ['name'], unique=False)
        batch_op.create_index(batch_op.f('ix_elders_phone'), ['phone'], unique=False)
        batch_op.create_index(batch_op.f('ix_elders_phone_last4'), ['phone_last4'], unique=False)
        batch_op.create_index(batch_op.f('ix_elders_ric_last4'), ['ric_last4'], unique=False)
        batch_op.create_index(batch_op.f('ix_elders_street_code'), ['street_code'], unique=False)

    op.create_table('funding_shares',
    sa.Column('funding_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('side', sa.String(length=10), nullable=False),
    sa.Column('funder', sa.String(length=20), nullable=False),
    sa.Column('amount_fen', sa.Integer(), nullable=False),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_funding_shares_positive')),
    sa.ForeignKeyConstraint(['funding_id'], ['fundings.id'], name=op.f('fk_funding_shares_funding_id')),
    sa.PrimaryKeyConstraint('funding_id', 'side', 'funder', name=op.f('pk_funding_shares'))
    )
    op.create_table('policy_versions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=60), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('territory_code', sa.String(length=9), nullable=False),
    sa.Column('in_force_from', sa.Date(), nullable=False),
    sa.Column('in_force_to', sa.Date(), nullable=True),
    sa.Column('document', sa.String(length=200), nullable=False),
    sa.Column('body', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('published_by', sa.String(length=60), nullable=False),
    sa.Column('published_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['territory_code'], ['territories.code'], name=op.f('fk_policy_versions_territory_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy_versions')),
    sa.UniqueConstraint('digest', name=op.f('uq_policy_versions_digest')),
    sa.UniqueConstraint('territory_code', 'in_force_from', name=op.f('uq_policy_versions_territory_code_in_force_from'))
    )
    op.create_table('postings',
    sa.Column('entry_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_fen <> 0', name=op.f('ck_postings_not_zero')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_postings_account_id')),
    sa.ForeignKeyConstraint(['entry_id'], ['entries.id'], name=op.f('fk_postings_entry_id')),
    sa.PrimaryKeyConstraint('entry_id', 'account_id', name=op.f('pk_postings'))
    )
    with op.batch_alter_table('postings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_postings_account_id'), ['account_id'], unique=False)

    op.create_table('standard_set_prices',
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('price_fen', sa.Integer(), nullable=False),
    sa.Column('set_by', sa.String(length=60), nullable=False),
    sa.CheckConstraint('price_fen > 0', name=op.f('ck_standard_set_prices_price')),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_standard_set_prices_district_code')),
    sa.PrimaryKeyConstraint('district_code', 'from_on', name=op.f('pk_standard_set_prices'))
    )
    op.create_table('cards',
    sa.Column('number', sa.String(length=20), nullable=False),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('lost_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_cards_elder_id')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_cards'))
    )
    with op.batch_alter_table('cards', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cards_elder_id'), ['elder_id'], unique=False)
        batch_op.create_index('uq_cards_in_use', ['elder_id'], unique=True, sqlite_where=sa.text('lost_at IS NULL'), postgresql_where=sa.text('lost_at IS NULL'))

    op.create_table('closures',
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('reason', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_closures_canteen_id')),
    sa.PrimaryKeyConstraint('canteen_id', 'on', name=op.f('pk_closures'))
    )
    op.create_table('dishes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('name_en', sa.String(length=60), nullable=False),
    sa.Column('kind', sa.String(length=4), nullable=False),
    sa.Column('price_fen', sa.Integer(), nullable=False),
    sa.Column('marks', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('retired_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('set','dish')", name=op.f('ck_dishes_kind')),
    sa.CheckConstraint('price_fen > 0', name=op.f('ck_dishes_price')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_dishes_canteen_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dishes')),
    sa.UniqueConstraint('canteen_id', 'name', name=op.f('uq_dishes_canteen_id_name'))
    )
    with op.batch_alter_table('dishes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dishes_canteen_id'), ['canteen_id'], unique=False)

    op.create_table('elder_discounts',
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('min_age', sa.Integer(), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('discount_bp', sa.Integer(), nullable=False),
    sa.CheckConstraint('discount_bp BETWEEN 0 AND 10000', name=op.f('ck_elder_discounts_rate')),
    sa.CheckConstraint('min_age BETWEEN 0 AND 130', name=op.f('ck_elder_discounts_age')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_elder_discounts_canteen_id')),
    sa.PrimaryKeyConstraint('canteen_id', 'min_age', 'from_on', name=op.f('pk_elder_discounts'))
    )
    op.create_table('elder_facts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('value', sa.String(length=24), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('evidence', sa.String(length=120), nullable=False),
    sa.Column('recorded_by', sa.String(length=60), nullable=False),
    sa.Column('recorded_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('category','care_level','disability_grade','status','long_term_care')", name=op.f('ck_elder_facts_kind')),
    sa.CheckConstraint('valid_to IS NULL OR valid_to >= valid_from', name=op.f('ck_elder_facts_dates')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_elder_facts_elder_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_elder_facts')),
    sa.UniqueConstraint('elder_id', 'kind', 'value', 'valid_from', name=op.f('uq_elder_facts_elder_id_kind_value_valid_from'))
    )
    op.create_table('elder_initials',
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('initials', sa.String(length=12), nullable=False),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_elder_initials_elder_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('elder_id', 'initials', name=op.f('pk_elder_initials'))
    )
    with op.batch_alter_table('elder_initials', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_elder_initials_initials'), ['initials'], unique=False)

    op.create_table('judgements',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rule', sa.String(length=30), nullable=False),
    sa.Column('proposes', sa.String(length=16), nullable=False),
    sa.Column('reason_code', sa.String(length=20), nullable=False),
    sa.Column('facts', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('proposed_on', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('decided_by', sa.String(length=60), nullable=True),
    sa.Column('decided_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.String(length=400), nullable=True),
    sa.CheckConstraint("state IN ('proposed','accepted','dismissed','lapsed')", name=op.f('ck_judgements_state')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_judgements_canteen_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_judgements'))
    )
    with op.batch_alter_table('judgements', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_judgements_canteen_id'), ['canteen_id'], unique=False)
        batch_op.create_index('uq_judgements_open', ['canteen_id', 'rule'], unique=True, sqlite_where=sa.text("state = 'proposed'"), postgresql_where=sa.text("state = 'proposed'"))

    op.create_table('licences',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.CheckConstraint("kind IN ('business','food','agreement')", name=op.f('ck_licences_kind')),
    sa.CheckConstraint('valid_to IS NULL OR valid_to >= valid_from', name=op.f('ck_licences_dates')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_licences_canteen_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_licences'))
    )
    with op.batch_alter_table('licences', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_licences_canteen_id'), ['canteen_id'], unique=False)

    op.create_table('listing_changes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('from_status', sa.String(length=16), nullable=True),
    sa.Column('to_status', sa.String(length=16), nullable=False),
    sa.Column('reason_code', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('decided_by', sa.String(length=60), nullable=False),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('facts', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_listing_changes_canteen_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listing_changes'))
    )
    with op.batch_alter_table('listing_changes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_listing_changes_canteen_id'), ['canteen_id'], unique=False)

    op.create_table('meal_periods',
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('meal', sa.String(length=10), nullable=False),
    sa.Column('opens', sa.Time(), nullable=False),
    sa.Column('closes', sa.Time(), nullable=False),
    sa.Column('order_until', sa.Time(), nullable=False),
    sa.CheckConstraint("meal IN ('breakfast','lunch','dinner')", name=op.f('ck_meal_periods_meal')),
    sa.CheckConstraint('opens < closes', name=op.f('ck_meal_periods_hours')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_meal_periods_canteen_id')),
    sa.PrimaryKeyConstraint('canteen_id', 'meal', name=op.f('pk_meal_periods'))
    )
    op.create_table('menus',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('meal', sa.String(length=10), nullable=False),
    sa.Column('published_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("meal IN ('breakfast','lunch','dinner')", name=op.f('ck_menus_meal')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_menus_canteen_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_menus')),
    sa.UniqueConstraint('canteen_id', 'on', 'meal', name=op.f('uq_menus_canteen_id_on_meal'))
    )
    with op.batch_alter_table('menus', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_menus_on'), ['on'], unique=False)

    op.create_table('quota_uses',
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('period_code', sa.String(length=20), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.CheckConstraint('used >= 0', name=op.f('ck_quota_uses_not_negative')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_quota_uses_elder_id')),
    sa.PrimaryKeyConstraint('elder_id', 'period_code', 'starts_on', name=op.f('pk_quota_uses'))
    )
    op.create_table('scorecards',
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('scheme', sa.String(length=40), nullable=False),
    sa.Column('score_bp', sa.Integer(), nullable=False),
    sa.Column('grade', sa.String(length=12), nullable=False),
    sa.Column('facts', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_scorecards_canteen_id')),
    sa.PrimaryKeyConstraint('canteen_id', 'on', name=op.f('pk_scorecards'))
    )
    op.create_table('statements',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('payee', sa.String(length=8), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('street_code', sa.String(length=9), nullable=False),
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('meals', sa.Integer(), nullable=False),
    sa.Column('elder_fen', sa.BigInteger(), nullable=False),
    sa.Column('account_fen', sa.BigInteger(), nullable=False),
    sa.Column('enterprise_fen', sa.BigInteger(), nullable=False),
    sa.Column('delivery_fen', sa.BigInteger(), nullable=False),
    sa.Column('online_fen', sa.BigInteger(), nullable=False),
    sa.Column('carried_fen', sa.BigInteger(), nullable=False),
    sa.Column('total_fen', sa.BigInteger(), nullable=False),
    sa.Column('stage', sa.String(length=10), nullable=False),
    sa.Column('stage_since', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('prepared_by', sa.String(length=60), nullable=False),
    sa.Column('prepared_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('carried_into_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("(payee = 'canteen' AND canteen_id IS NOT NULL AND elder_id IS NULL) OR (payee = 'elder' AND elder_id IS NOT NULL AND canteen_id IS NULL)", name=op.f('ck_statements_payee')),
    sa.CheckConstraint('total_fen = elder_fen + account_fen + enterprise_fen + delivery_fen + online_fen + carried_fen', name=op.f('ck_statements_total')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_statements_canteen_id')),
    sa.ForeignKeyConstraint(['carried_into_id'], ['statements.id'], name=op.f('fk_statements_carried_into_id')),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_statements_district_code')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_statements_elder_id')),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_statements_operator_id')),
    sa.ForeignKeyConstraint(['period'], ['periods.period'], name=op.f('fk_statements_period')),
    sa.ForeignKeyConstraint(['street_code'], ['territories.code'], name=op.f('fk_statements_street_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statements')),
    sa.UniqueConstraint('period', 'canteen_id', name=op.f('uq_statements_period_canteen_id')),
    sa.UniqueConstraint('period', 'elder_id', name=op.f('uq_statements_period_elder_id'))
    )
    with op.batch_alter_table('statements', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statements_canteen_id'), ['canteen_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_statements_carried_into_id'), ['carried_into_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_statements_district_code'), ['district_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_statements_elder_id'), ['elder_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_statements_operator_id'), ['operator_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_statements_stage'), ['stage'], unique=False)
        batch_op.create_index(batch_op.f('ix_statements_street_code'), ['street_code'], unique=False)

    op.create_table('users',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('login', sa.String(length=40), nullable=False),
    sa.Column('password_hash', sa.String(length=160), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('role', sa.String(length=12), nullable=False),
    sa.Column('territory_code', sa.String(length=9), nullable=True),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('locale', sa.String(length=2), nullable=False),
    sa.Column('session_mark', sa.String(length=16), nullable=False),
    sa.Column('created_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(role IN ('street','district','city','evaluator') AND territory_code IS NOT NULL) OR (role = 'operator' AND operator_id IS NOT NULL) OR (role IN ('cashier','manager') AND canteen_id IS NOT NULL) OR (role = 'elder' AND elder_id IS NOT NULL) OR role = 'family'", name=op.f('ck_users_role_has_its_ground')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_users_canteen_id')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_users_elder_id')),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_users_operator_id')),
    sa.ForeignKeyConstraint(['territory_code'], ['territories.code'], name=op.f('fk_users_territory_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('login', name=op.f('uq_users_login'))
    )
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_users_canteen_id'), ['canteen_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_users_elder_id'), ['elder_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_users_operator_id'), ['operator_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_users_territory_code'), ['territory_code'], unique=False)

    op.create_table('api_tokens',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_api_tokens_user_id')),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_api_tokens'))
    )
    with op.batch_alter_table('api_tokens', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_tokens_user_id'), ['user_id'], unique=False)

    op.create_table('family_members',
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('relation', sa.String(length=20), nullable=False),
    sa.Column('since', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_family_members_elder_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_family_members_user_id')),
    sa.PrimaryKeyConstraint('elder_id', 'user_id', name=op.f('pk_family_members'))
    )
    with op.batch_alter_table('family_members', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_family_members_user_id'), ['user_id'], unique=False)

    op.create_table('inspections',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('scheme', sa.String(length=40), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('evaluator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('vetoes', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('remark', sa.String(length=1000), nullable=False),
    sa.Column('submitted_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_inspections_canteen_id')),
    sa.ForeignKeyConstraint(['evaluator_id'], ['users.id'], name=op.f('fk_inspections_evaluator_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inspections')),
    sa.UniqueConstraint('canteen_id', 'on', 'version', name=op.f('uq_inspections_canteen_id_on_version'))
    )
    op.create_table('menu_items',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('menu_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('dish_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('price_fen', sa.Integer(), nullable=False),
    sa.Column('portions', sa.Integer(), nullable=False),
    sa.Column('taken', sa.Integer(), nullable=False),
    sa.Column('sold_out', sa.Boolean(), nullable=False),
    sa.CheckConstraint('price_fen > 0', name=op.f('ck_menu_items_price')),
    sa.CheckConstraint('taken >= 0 AND taken <= portions', name=op.f('ck_menu_items_not_oversold')),
    sa.ForeignKeyConstraint(['dish_id'], ['dishes.id'], name=op.f('fk_menu_items_dish_id')),
    sa.ForeignKeyConstraint(['menu_id'], ['menus.id'], name=op.f('fk_menu_items_menu_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_menu_items')),
    sa.UniqueConstraint('menu_id', 'dish_id', name=op.f('uq_menu_items_menu_id_dish_id'))
    )
    with op.batch_alter_table('menu_items', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_menu_items_dish_id'), ['dish_id'], unique=False)

    op.create_table('orders',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('menu_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('meal', sa.String(length=10), nullable=False),
    sa.Column('service', sa.String(length=10), nullable=False),
    sa.Column('channel', sa.String(length=8), nullable=False),
    sa.Column('state', sa.String(length=18), nullable=False),
    sa.Column('payment', sa.String(length=8), nullable=False),
    sa.Column('list_fen', sa.Integer(), nullable=False),
    sa.Column('discount_fen', sa.Integer(), nullable=False),
    sa.Column('subsidy_fen', sa.Integer(), nullable=False),
    sa.Column('payable_fen', sa.Integer(), nullable=False),
    sa.Column('policy_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('inputs', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=True),
    sa.Column('placed_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('placed_by', sa.String(length=60), nullable=False),
    sa.Column('paid_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('paid_on', sa.Date(), nullable=True),
    sa.Column('served_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('note', sa.String(length=120), nullable=False),
    sa.Column('booked_in', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("payment IN ('cash','online')", name=op.f('ck_orders_payment')),
    sa.CheckConstraint("service IN ('eat_in','pick_up','delivery')", name=op.f('ck_orders_service')),
    sa.CheckConstraint("state IN ('awaiting_payment','placed','served','cancelled')", name=op.f('ck_orders_state')),
    sa.CheckConstraint('(paid_at IS NULL) = (paid_on IS NULL)', name=op.f('ck_orders_paid')),
    sa.CheckConstraint('list_fen = discount_fen + subsidy_fen + payable_fen', name=op.f('ck_orders_parts_sum_to_list')),
    sa.CheckConstraint('list_fen > 0 AND discount_fen >= 0 AND subsidy_fen >= 0 AND payable_fen >= 0', name=op.f('ck_orders_nothing_negative')),
    sa.ForeignKeyConstraint(['booked_in'], ['booking_runs.id'], name=op.f('fk_orders_booked_in')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_orders_canteen_id')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_orders_elder_id')),
    sa.ForeignKeyConstraint(['menu_id'], ['menus.id'], name=op.f('fk_orders_menu_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policy_versions.id'], name=op.f('fk_orders_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_orders'))
    )
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.create_index('ix_orders_canteen_id_on', ['canteen_id', 'on'], unique=False)
        batch_op.create_index('ix_orders_elder_id_on', ['elder_id', 'on'], unique=False)
        batch_op.create_index(batch_op.f('ix_orders_menu_id'), ['menu_id'], unique=False)
        batch_op.create_index('ix_orders_to_book', ['paid_on'], unique=False, sqlite_where=sa.text('booked_in IS NULL AND paid_on IS NOT NULL'), postgresql_where=sa.text('booked_in IS NULL AND paid_on IS NOT NULL'))

    op.create_table('payouts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(length=60), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('provider_id', sa.String(length=60), nullable=True),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('paid_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('failure', sa.String(length=200), nullable=True),
    sa.CheckConstraint("state IN ('waiting','sent','paid','failed')", name=op.f('ck_payouts_state')),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_payouts_positive')),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_payouts_statement_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payouts')),
    sa.UniqueConstraint('provider_id', name=op.f('uq_payouts_provider_id')),
    sa.UniqueConstraint('statement_id', name=op.f('uq_payouts_statement_id'))
    )
    with op.batch_alter_table('payouts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payouts_state'), ['state'], unique=False)

    op.create_table('statement_lines',
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('side', sa.String(length=10), nullable=False),
    sa.Column('funder', sa.String(length=20), nullable=False),
    sa.Column('territory_code', sa.String(length=9), nullable=False),
    sa.Column('meals', sa.Integer(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_statement_lines_statement_id')),
    sa.PrimaryKeyConstraint('statement_id', 'side', 'funder', name=op.f('pk_statement_lines'))
    )
    op.create_table('statement_steps',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('stage', sa.String(length=10), nullable=False),
    sa.Column('verdict', sa.String(length=10), nullable=False),
    sa.Column('to_stage', sa.String(length=10), nullable=False),
    sa.Column('by_user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_label', sa.String(length=60), nullable=False),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("verdict IN ('prepared','confirmed','approved','returned','paid','carried')", name=op.f('ck_statement_steps_verdict')),
    sa.ForeignKeyConstraint(['by_user_id'], ['users.id'], name=op.f('fk_statement_steps_by_user_id')),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_statement_steps_statement_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement_steps'))
    )
    with op.batch_alter_table('statement_steps', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statement_steps_statement_id'), ['statement_id'], unique=False)

    op.create_table('cancellations',
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('cancelled_by', sa.String(length=60), nullable=False),
    sa.Column('reason_code', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('refund_fen', sa.Integer(), nullable=False),
    sa.Column('booked_in', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint('refund_fen >= 0', name=op.f('ck_cancellations_refund')),
    sa.ForeignKeyConstraint(['booked_in'], ['booking_runs.id'], name=op.f('fk_cancellations_booked_in')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_cancellations_order_id')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_cancellations'))
    )
    with op.batch_alter_table('cancellations', schema=None) as batch_op:
        batch_op.create_index('ix_cancellations_to_book', ['on'], unique=False, sqlite_where=sa.text('booked_in IS NULL'), postgresql_where=sa.text('booked_in IS NULL'))

    op.create_table('charges',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount_fen', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('provider_id', sa.String(length=60), nullable=True),
    sa.Column('period', sa.String(length=7), nullable=True),
    sa.Column('asked_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('settled_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('pending','succeeded','failed','cancelled')", name=op.f('ck_charges_state')),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_charges_positive')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_charges_canteen_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_charges_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_charges')),
    sa.UniqueConstraint('order_id', name=op.f('uq_charges_order_id')),
    sa.UniqueConstraint('provider_id', name=op.f('uq_charges_provider_id'))
    )
    with op.batch_alter_table('charges', schema=None) as batch_op:
        batch_op.create_index('ix_charges_period_canteen_id', ['period', 'canteen_id'], unique=False)

    op.create_table('grants',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sign', sa.SmallInteger(), nullable=False),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('meal', sa.String(length=10), nullable=False),
    sa.Column('policy_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('group_code', sa.String(length=20), nullable=False),
    sa.Column('funding_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('till_fen', sa.Integer(), nullable=False),
    sa.Column('account_fen', sa.Integer(), nullable=False),
    sa.Column('enterprise_fen', sa.Integer(), nullable=False),
    sa.Column('delivery_fen', sa.Integer(), nullable=False),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('sign IN (1, -1)', name=op.f('ck_grants_sign')),
    sa.CheckConstraint('till_fen * sign >= 0 AND account_fen * sign >= 0 AND enterprise_fen * sign >= 0 AND delivery_fen * sign >= 0', name=op.f('ck_grants_amounts_follow_sign')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_grants_canteen_id')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_grants_elder_id')),
    sa.ForeignKeyConstraint(['funding_id'], ['fundings.id'], name=op.f('fk_grants_funding_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_grants_order_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policy_versions.id'], name=op.f('fk_grants_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_grants')),
    sa.UniqueConstraint('order_id', 'sign', name=op.f('uq_grants_order_id_sign'))
    )
    with op.batch_alter_table('grants', schema=None) as batch_op:
        batch_op.create_index('ix_grants_elder_id_on', ['elder_id', 'on'], unique=False)
        batch_op.create_index('ix_grants_period_canteen_id', ['period', 'canteen_id'], unique=False)

    op.create_table('inspection_scores',
    sa.Column('inspection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('dimension', sa.String(length=20), nullable=False),
    sa.Column('points', sa.Integer(), nullable=False),
    sa.Column('evidence', sa.String(length=400), nullable=False),
    sa.CheckConstraint('points BETWEEN 0 AND 100', name=op.f('ck_inspection_scores_points')),
    sa.ForeignKeyConstraint(['inspection_id'], ['inspections.id'], name=op.f('fk_inspection_scores_inspection_id')),
    sa.PrimaryKeyConstraint('inspection_id', 'dimension', name=op.f('pk_inspection_scores'))
    )
    op.create_table('order_lines',
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('menu_item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('unit_fen', sa.Integer(), nullable=False),
    sa.CheckConstraint('quantity BETWEEN 1 AND 50', name=op.f('ck_order_lines_quantity')),
    sa.ForeignKeyConstraint(['menu_item_id'], ['menu_items.id'], name=op.f('fk_order_lines_menu_item_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_lines_order_id')),
    sa.PrimaryKeyConstraint('order_id', 'menu_item_id', name=op.f('pk_order_lines'))
    )
    with op.batch_alter_table('order_lines', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_lines_menu_item_id'), ['menu_item_id'], unique=False)

    op.create_table('ratings',
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('stars', sa.SmallInteger(), nullable=False),
    sa.Column('comment', sa.String(length=200), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.CheckConstraint('stars BETWEEN 1 AND 5', name=op.f('ck_ratings_stars')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_ratings_canteen_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_ratings_order_id')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_ratings'))
    )
    with op.batch_alter_table('ratings', schema=None) as batch_op:
        batch_op.create_index('ix_ratings_canteen_id_on', ['canteen_id', 'on'], unique=False)

    op.create_table('refunds',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('charge_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount_fen', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('asked_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('pending','succeeded','failed')", name=op.f('ck_refunds_state')),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_refunds_positive')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_refunds_canteen_id')),
    sa.ForeignKeyConstraint(['charge_id'], ['charges.id'], name=op.f('fk_refunds_charge_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refunds'))
    )
    with op.batch_alter_table('refunds', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_refunds_charge_id'), ['charge_id'], unique=False)
        batch_op.create_index('ix_refunds_period_canteen_id', ['period', 'canteen_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('refunds', schema=None) as batch_op:
        batch_op.drop_index('ix_refunds_period_canteen_id')
        batch_op.drop_index(batch_op.f('ix_refunds_charge_id'))

    op.drop_table('refunds')
    with op.batch_alter_table('ratings', schema=None) as batch_op:
        batch_op.drop_index('ix_ratings_canteen_id_on')

    op.drop_table('ratings')
    with op.batch_alter_table('order_lines', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_order_lines_menu_item_id'))

    op.drop_table('order_lines')
    op.drop_table('inspection_scores')
    with op.batch_alter_table('grants', schema=None) as batch_op:
        batch_op.drop_index('ix_grants_period_canteen_id')
        batch_op.drop_index('ix_grants_elder_id_on')

    op.drop_table('grants')
    with op.batch_alter_table('charges', schema=None) as batch_op:
        batch_op.drop_index('ix_charges_period_canteen_id')

    op.drop_table('charges')
    with op.batch_alter_table('cancellations', schema=None) as batch_op:
        batch_op.drop_index('ix_cancellations_to_book', sqlite_where=sa.text('booked_in IS NULL'), postgresql_where=sa.text('booked_in IS NULL'))

    op.drop_table('cancellations')
    with op.batch_alter_table('statement_steps', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_statement_steps_statement_id'))

    op.drop_table('statement_steps')
    op.drop_table('statement_lines')
    with op.batch_alter_table('payouts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_payouts_state'))

    op.drop_table('payouts')
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_index('ix_orders_to_book', sqlite_where=sa.text('booked_in IS NULL AND paid_on IS NOT NULL'), postgresql_where=sa.text('booked_in IS NULL AND paid_on IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_orders_menu_id'))
        batch_op.drop_index('ix_orders_elder_id_on')
        batch_op.drop_index('ix_orders_canteen_id_on')

    op.drop_table('orders')
    with op.batch_alter_table('menu_items', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_menu_items_dish_id'))

    op.drop_table('menu_items')
    op.drop_table('inspections')
    with op.batch_alter_table('family_members', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_family_members_user_id'))

    op.drop_table('family_members')
    with op.batch_alter_table('api_tokens', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_tokens_user_id'))

    op.drop_table('api_tokens')
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_users_territory_code'))
        batch_op.drop_index(batch_op.f('ix_users_operator_id'))
        batch_op.drop_index(batch_op.f('ix_users_elder_id'))
        batch_op.drop_index(batch_op.f('ix_users_canteen_id'))

    op.drop_table('users')
    with op.batch_alter_table('statements', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_statements_street_code'))
        batch_op.drop_index(batch_op.f('ix_statements_stage'))
        batch_op.drop_index(batch_op.f('ix_statements_operator_id'))
        batch_op.drop_index(batch_op.f('ix_statements_elder_id'))
        batch_op.drop_index(batch_op.f('ix_statements_district_code'))
        batch_op.drop_index(batch_op.f('ix_statements_carried_into_id'))
        batch_op.drop_index(batch_op.f('ix_statements_canteen_id'))

    op.drop_table('statements')
    op.drop_table('scorecards')
    op.drop_table('quota_uses')
    with op.batch_alter_table('menus', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_menus_on'))

    op.drop_table('menus')
    op.drop_table('meal_periods')
    with op.batch_alter_table('listing_changes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_listing_changes_canteen_id'))

    op.drop_table('listing_changes')
    with op.batch_alter_table('licences', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_licences_canteen_id'))

    op.drop_table('licences')
    with op.batch_alter_table('judgements', schema=None) as batch_op:
        batch_op.drop_index('uq_judgements_open', sqlite_where=sa.text("state = 'proposed'"), postgresql_where=sa.text("state = 'proposed'"))
        batch_op.drop_index(batch_op.f('ix_judgements_canteen_id'))

    op.drop_table('judgements')
    with op.batch_alter_table('elder_initials', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_elder_initials_initials'))

    op.drop_table('elder_initials')
    op.drop_table('elder_facts')
    op.drop_table('elder_discounts')
    with op.batch_alter_table('dishes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dishes_canteen_id'))

    op.drop_table('dishes')
    op.drop_table('closures')
    with op.batch_alter_table('cards', schema=None) as batch_op:
        batch_op.drop_index('uq_cards_in_use', sqlite_where=sa.text('lost_at IS NULL'), postgresql_where=sa.text('lost_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_cards_elder_id'))

    op.drop_table('cards')
    op.drop_table('standard_set_prices')
    with op.batch_alter_table('postings', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_postings_account_id'))

    op.drop_table('postings')
    op.drop_table('policy_versions')
    op.drop_table('funding_shares')
    with op.batch_alter_table('elders', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_elders_street_code'))
        batch_op.drop_index(batch_op.f('ix_elders_ric_last4'))
        batch_op.drop_index(batch_op.f('ix_elders_phone_last4'))
        batch_op.drop_index(batch_op.f('ix_elders_phone'))
        batch_op.drop_index(batch_op.f('ix_elders_name'))

    op.drop_table('elders')
    with op.batch_alter_table('canteens', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_canteens_supplier_id'))
        batch_op.drop_index(batch_op.f('ix_canteens_street_code'))
        batch_op.drop_index(batch_op.f('ix_canteens_status'))
        batch_op.drop_index(batch_op.f('ix_canteens_operator_id'))
        batch_op.drop_index(batch_op.f('ix_canteens_district_code'))

    op.drop_table('canteens')
    with op.batch_alter_table('territories', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_territories_parent_code'))

    op.drop_table('territories')
    op.drop_table('provider_events')
    op.drop_table('periods')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_state_due_at')
        batch_op.drop_index('ix_outbox_reference')

    op.drop_table('outbox')
    op.drop_table('operators')
    with op.batch_alter_table('once_keys', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_once_keys_made_at'))

    op.drop_table('once_keys')
    op.drop_table('job_runs')
    op.drop_table('fundings')
    with op.batch_alter_table('failed_sign_ins', schema=None) as batch_op:
        batch_op.drop_index('ix_failed_sign_ins_who_at')

    op.drop_table('failed_sign_ins')
    with op.batch_alter_table('entries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_entries_on'))

    op.drop_table('entries')
    op.drop_table('booking_runs')
    with op.batch_alter_table('audit_records', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_records_subject')
        batch_op.drop_index(batch_op.f('ix_audit_records_actor'))

    op.drop_table('audit_records')
    op.drop_table('accounts')
