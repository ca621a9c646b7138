"""The settlement desk: causes of grants, review rules, corrections, batches, budgets, tasks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import canteen.db

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

OLD_STEPS = "'prepared','confirmed','approved','returned','paid','carried'"
NEW_STEPS = (
    "'prepared','confirmed','consented','escalated','approved','returned',"
    "'undone','amended','paid','carried','repaid'"
)
OLD_PAYOUTS = "'waiting','sent','paid','failed'"
NEW_PAYOUTS = "'ready'," + OLD_PAYOUTS
OLD_TOTAL = (
    "total_fen = elder_fen + account_fen + enterprise_fen + delivery_fen"
    " + online_fen + carried_fen"
)
NEW_TOTAL = OLD_TOTAL + " + deducted_fen"
OLD_SIGN = "sign IN (1, -1)"
NEW_SIGN = "number > 0 AND sign = 1 - 2 * ((number + 1) % 2)"
CAUSE = (
    "cause IN ('sale','claim','late_fact','released','upheld','corrected','spread',"
    "'cancelled','held','denied')"
)

# What changes in the text of a table on SQLite, which cannot alter a constraint: (before, after).
SQLITE = {
    'grants': [
        ('order_id INTEGER NOT NULL, \n\tsign',
         'order_id INTEGER NOT NULL, \n\tnumber SMALLINT NOT NULL, \n\tsign'),
        ('sign SMALLINT NOT NULL, \n\telder_id',
         'sign SMALLINT NOT NULL, \n\tcause VARCHAR(10) NOT NULL, \n\tcause_id BIGINT, \n\telder_id'),
        (f'CHECK ({OLD_SIGN})',
         f'CHECK ({NEW_SIGN}), \n\tCONSTRAINT ck_grants_cause CHECK ({CAUSE})'),
        ('uq_grants_order_id_sign UNIQUE (order_id, sign)',
         'uq_grants_order_id_number UNIQUE (order_id, number)'),
    ],
    'statements': [
        ('carried_fen BIGINT NOT NULL, \n', 'carried_fen BIGINT NOT NULL, \n\tdeducted_fen BIGINT NOT NULL, \n'),
        ('due_on DATE, \n', 'due_on DATE, \n\trule_id INTEGER, \n'),
        (f'CHECK ({OLD_TOTAL})',
         f'CHECK ({NEW_TOTAL}),'
         ' \n\tCONSTRAINT fk_statements_rule_id FOREIGN KEY(rule_id) REFERENCES review_rules (id)'),
    ],
    'statement_steps': [(f'verdict IN ({OLD_STEPS})', f'verdict IN ({NEW_STEPS})')],
    'payouts': [
        (f'state IN ({OLD_PAYOUTS})', f'state IN ({NEW_PAYOUTS})'),
        ('statement_id INTEGER NOT NULL, \n', 'statement_id INTEGER NOT NULL, \n\tbatch_id INTEGER, \n'),
        ('CONSTRAINT fk_payouts_statement_id',
         'CONSTRAINT fk_payouts_batch_id FOREIGN KEY(batch_id) REFERENCES payout_batches (id),'
         ' \n\tCONSTRAINT fk_payouts_statement_id'),
    ],
}  # fmt: skip
# The value of a new column in the rows there are.
FILLED = {
    'grants': {
        'number': 'CASE sign WHEN 1 THEN 1 ELSE 2 END',
        'cause': "CASE sign WHEN 1 THEN 'sale' ELSE 'cancelled' END",
    },
    'statements': {'deducted_fen': '0'},
}


def upgrade() -> None:
    op.create_table('bank_returns',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('file_name', sa.String(length=120), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('paid', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('unmatched', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('taken_by', sa.String(length=60), nullable=False),
    sa.Column('taken_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_returns')),
    sa.UniqueConstraint('digest', name=op.f('uq_bank_returns_digest'))
    )
    op.create_table('payout_batches',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('way', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('total_fen', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('made_by', sa.String(length=60), nullable=False),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('released_by', sa.String(length=60), nullable=True),
    sa.Column('released_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('draft','released','done','cancelled')", name=op.f('ck_payout_batches_state')),
    sa.CheckConstraint("way IN ('gateway','bank_file')", name=op.f('ck_payout_batches_way')),
    sa.CheckConstraint('released_by <> made_by', name=op.f('ck_payout_batches_two_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payout_batches'))
    )
    op.create_index(op.f('ix_payout_batches_state'), 'payout_batches', ['state'], unique=False)

    op.create_table('funds',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('territory_code', sa.String(length=9), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('set_by', sa.String(length=60), nullable=False),
    sa.Column('set_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['territory_code'], ['territories.code'], name=op.f('fk_funds_territory_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_funds'))
    )
    op.create_index('ix_funds_territory_code_year', 'funds', ['territory_code', 'year'], unique=False)

    op.create_table('performance_targets',
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('code', sa.String(length=30), nullable=False),
    sa.Column('target', sa.BigInteger(), nullable=False),
    sa.Column('set_by', sa.String(length=60), nullable=False),
    sa.Column('set_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_performance_targets_district_code')),
    sa.PrimaryKeyConstraint('year', 'district_code', 'code', name=op.f('pk_performance_targets'))
    )
    op.create_table('review_rules',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('stages', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('sample_bp', sa.Integer(), nullable=False),
    sa.Column('sample_least', sa.Integer(), nullable=False),
    sa.Column('extrapolate', sa.Boolean(), nullable=False),
    sa.Column('claim_days', sa.Integer(), nullable=False),
    sa.Column('late_days', sa.Integer(), nullable=False),
    sa.Column('debt_days', sa.Integer(), nullable=False),
    sa.Column('appeal_days', sa.Integer(), nullable=False),
    sa.Column('set_by', sa.String(length=60), nullable=False),
    sa.Column('set_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('sample_bp BETWEEN 0 AND 10000', name=op.f('ck_review_rules_sample_bp')),
    sa.CheckConstraint('sample_least BETWEEN 0 AND 1000', name=op.f('ck_review_rules_sample_least')),
    sa.CheckConstraint('claim_days BETWEEN 1 AND 366', name=op.f('ck_review_rules_claim_days')),
    sa.CheckConstraint('late_days BETWEEN 30 AND 3660', name=op.f('ck_review_rules_late_days')),
    sa.CheckConstraint('debt_days BETWEEN 1 AND 366', name=op.f('ck_review_rules_debt_days')),
    sa.CheckConstraint('appeal_days BETWEEN 1 AND 366', name=op.f('ck_review_rules_appeal_days')),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_review_rules_district_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_rules')),
    sa.UniqueConstraint('district_code', 'from_on', name=op.f('uq_review_rules_district_code_from_on'))
    )
    op.create_table('sample_draws',
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('seed', sa.String(length=64), nullable=False),
    sa.Column('sample_bp', sa.Integer(), nullable=False),
    sa.Column('sample_least', sa.Integer(), nullable=False),
    sa.Column('drawn_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_sample_draws_district_code')),
    sa.ForeignKeyConstraint(['period'], ['periods.period'], name=op.f('fk_sample_draws_period')),
    sa.PrimaryKeyConstraint('period', 'district_code', name=op.f('pk_sample_draws'))
    )
    op.create_table('true_ups',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('district_code', sa.String(length=9), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('share_fen', sa.BigInteger(), nullable=False),
    sa.Column('paid_before_fen', sa.BigInteger(), nullable=False),
    sa.Column('balance_fen', sa.BigInteger(), nullable=False),
    sa.Column('sums', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('targets', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('note', sa.String(length=400), nullable=False),
    sa.Column('prepared_by', sa.String(length=60), nullable=False),
    sa.Column('prepared_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('confirmed_by', sa.String(length=60), nullable=True),
    sa.Column('confirmed_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('paid_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('preliminary','final')", name=op.f('ck_true_ups_kind')),
    sa.CheckConstraint("state IN ('draft','confirmed','paid')", name=op.f('ck_true_ups_state')),
    sa.CheckConstraint('balance_fen = share_fen - paid_before_fen', name=op.f('ck_true_ups_balance')),
    sa.CheckConstraint('confirmed_by <> prepared_by', name=op.f('ck_true_ups_two_people')),
    sa.ForeignKeyConstraint(['district_code'], ['territories.code'], name=op.f('fk_true_ups_district_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_true_ups')),
    sa.UniqueConstraint('year', 'district_code', 'kind', name=op.f('uq_true_ups_year_district_code_kind'))
    )
    op.create_table('bank_changes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('old_account', sa.String(length=60), nullable=False),
    sa.Column('new_account', sa.String(length=60), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('asked_by', sa.String(length=60), nullable=False),
    sa.Column('asked_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('not_before', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.String(length=60), nullable=True),
    sa.Column('decided_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('decision', sa.String(length=200), nullable=False),
    sa.CheckConstraint("state <> 'confirmed' OR decided_by <> asked_by", name=op.f('ck_bank_changes_two_people')),
    sa.CheckConstraint("state IN ('waiting','confirmed','refused','withdrawn')", name=op.f('ck_bank_changes_state')),
    sa.CheckConstraint('(operator_id IS NULL) <> (elder_id IS NULL)', name=op.f('ck_bank_changes_payee')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_bank_changes_elder_id')),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_bank_changes_operator_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_changes'))
    )
    op.create_index(op.f('ix_bank_changes_elder_id'), 'bank_changes', ['elder_id'], unique=False)
    op.create_index(op.f('ix_bank_changes_operator_id'), 'bank_changes', ['operator_id'], unique=False)
    op.create_index('uq_bank_changes_elder_waiting', 'bank_changes', ['elder_id'], unique=True, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('uq_bank_changes_operator_waiting', 'bank_changes', ['operator_id'], unique=True, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.create_table('notices',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('role', sa.String(length=10), nullable=True),
    sa.Column('territory_code', sa.String(length=9), nullable=True),
    sa.Column('to_phone', sa.String(length=20), nullable=False),
    sa.Column('zh', sa.String(length=400), nullable=False),
    sa.Column('en', sa.String(length=600), nullable=False),
    sa.Column('path', sa.String(length=120), nullable=False),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('read_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('read_by', sa.String(length=60), nullable=True),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_notices_elder_id')),
    sa.ForeignKeyConstraint(['operator_id'], ['operators.id'], name=op.f('fk_notices_operator_id')),
    sa.ForeignKeyConstraint(['territory_code'], ['territories.code'], name=op.f('fk_notices_territory_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notices')),
    sa.UniqueConstraint('key', name=op.f('uq_notices_key'))
    )
    op.create_index(op.f('ix_notices_elder_id'), 'notices', ['elder_id'], unique=False)
    op.create_index(op.f('ix_notices_operator_id'), 'notices', ['operator_id'], unique=False)
    op.create_index('ix_notices_territory_code_role', 'notices', ['territory_code', 'role'], unique=False)

    op.create_table('fact_reviews',
    sa.Column('fact_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('taken_back', sa.Integer(), nullable=False),
    sa.Column('given', sa.Integer(), nullable=False),
    sa.Column('looked_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['fact_id'], ['elder_facts.id'], name=op.f('fk_fact_reviews_fact_id')),
    sa.PrimaryKeyConstraint('fact_id', 'digest', name=op.f('pk_fact_reviews'))
    )
    op.create_table('policy_drafts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=60), nullable=False),
    sa.Column('territory_code', sa.String(length=9), nullable=False),
    sa.Column('body', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('note', sa.String(length=400), nullable=False),
    sa.Column('in_force_from', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('made_by', sa.String(length=60), nullable=False),
    sa.Column('made_by_user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('made_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('proposed_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('published_by', sa.String(length=60), nullable=True),
    sa.Column('published_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('policy_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("state IN ('draft','proposed','published','withdrawn')", name=op.f('ck_policy_drafts_state')),
    sa.CheckConstraint('published_by <> made_by', name=op.f('ck_policy_drafts_two_people')),
    sa.ForeignKeyConstraint(['made_by_user_id'], ['users.id'], name=op.f('fk_policy_drafts_made_by_user_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policy_versions.id'], name=op.f('fk_policy_drafts_policy_id')),
    sa.ForeignKeyConstraint(['territory_code'], ['territories.code'], name=op.f('fk_policy_drafts_territory_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy_drafts'))
    )
    op.create_table('repayments',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('received_on', sa.Date(), nullable=False),
    sa.Column('reference', sa.String(length=60), nullable=False),
    sa.Column('noted_by', sa.String(length=60), nullable=False),
    sa.Column('noted_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_repayments_positive')),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_repayments_statement_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repayments')),
    sa.UniqueConstraint('statement_id', name=op.f('uq_repayments_statement_id'))
    )
    op.create_table('statement_amendments',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('cause', sa.String(length=12), nullable=False),
    sa.Column('cause_id', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('meals', sa.Integer(), nullable=False),
    sa.Column('elder_fen', sa.BigInteger(), nullable=False),
    sa.Column('account_fen', sa.BigInteger(), nullable=False),
    sa.Column('enterprise_fen', sa.BigInteger(), nullable=False),
    sa.Column('delivery_fen', sa.BigInteger(), nullable=False),
    sa.Column('deducted_fen', sa.BigInteger(), nullable=False),
    sa.Column('total_before_fen', sa.BigInteger(), nullable=False),
    sa.Column('total_after_fen', sa.BigInteger(), nullable=False),
    sa.Column('lines', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('by_user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_label', sa.String(length=60), nullable=False),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('total_after_fen = total_before_fen + elder_fen + account_fen + enterprise_fen + delivery_fen + deducted_fen', name=op.f('ck_statement_amendments_total')),
    sa.ForeignKeyConstraint(['by_user_id'], ['users.id'], name=op.f('fk_statement_amendments_by_user_id')),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_statement_amendments_statement_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement_amendments'))
    )
    op.create_index(op.f('ix_statement_amendments_statement_id'), 'statement_amendments', ['statement_id'], unique=False)

    op.create_table('tasks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('args', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('done_steps', sa.Integer(), nullable=False),
    sa.Column('all_steps', sa.Integer(), nullable=False),
    sa.Column('says', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('result', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('failure', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('asked_by', sa.String(length=60), nullable=False),
    sa.Column('asked_by_user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('asked_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('started_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('heard_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('cancel_asked', sa.Boolean(), nullable=False),
    sa.Column('runs', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('waiting','running','done','failed','cancelled')", name=op.f('ck_tasks_state')),
    sa.ForeignKeyConstraint(['asked_by_user_id'], ['users.id'], name=op.f('fk_tasks_asked_by_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tasks'))
    )
    op.create_index(op.f('ix_tasks_asked_by'), 'tasks', ['asked_by'], unique=False)
    op.create_index(op.f('ix_tasks_state'), 'tasks', ['state'], unique=False)

    op.create_table('claims',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('elder_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('asked_by', sa.String(length=60), nullable=False),
    sa.Column('asked_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('decision', sa.String(length=400), nullable=False),
    sa.Column('decided_by', sa.String(length=60), nullable=True),
    sa.Column('decided_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name=op.f('ck_claims_decided')),
    sa.CheckConstraint("kind IN ('card_unread','late_status')", name=op.f('ck_claims_kind')),
    sa.CheckConstraint("state IN ('asked','approved','refused')", name=op.f('ck_claims_state')),
    sa.ForeignKeyConstraint(['elder_id'], ['elders.id'], name=op.f('fk_claims_elder_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_claims_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claims'))
    )
    op.create_index(op.f('ix_claims_elder_id'), 'claims', ['elder_id'], unique=False)
    op.create_index('uq_claims_order', 'claims', ['order_id'], unique=True, sqlite_where=sa.text("state <> 'refused'"), postgresql_where=sa.text("state <> 'refused'"))

    op.create_table('corrections',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('what', sa.String(length=400), nullable=False),
    sa.Column('asked_by', sa.String(length=60), nullable=False),
    sa.Column('asked_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('act', sa.String(length=10), nullable=True),
    sa.Column('answer', sa.String(length=400), nullable=False),
    sa.Column('before', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('after', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('answered_by', sa.String(length=60), nullable=True),
    sa.Column('answered_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.String(length=60), nullable=True),
    sa.Column('closed_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("act IN ('withdraw','service','receiver','keep')", name=op.f('ck_corrections_act')),
    sa.CheckConstraint("state IN ('asked','answered','closed','withdrawn')", name=op.f('ck_corrections_state')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_corrections_order_id')),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_corrections_statement_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_corrections'))
    )
    op.create_index(op.f('ix_corrections_order_id'), 'corrections', ['order_id'], unique=False)
    op.create_index(op.f('ix_corrections_statement_id'), 'corrections', ['statement_id'], unique=False)
    op.create_index('uq_corrections_asked', 'corrections', ['statement_id', 'order_id'], unique=True, sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))

    op.create_table('payout_lines',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('batch_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('payout_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(length=60), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reference', sa.String(length=60), nullable=True),
    sa.Column('failure', sa.String(length=200), nullable=True),
    sa.Column('at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting','paid','failed')", name=op.f('ck_payout_lines_state')),
    sa.ForeignKeyConstraint(['batch_id'], ['payout_batches.id'], name=op.f('fk_payout_lines_batch_id')),
    sa.ForeignKeyConstraint(['payout_id'], ['payouts.id'], name=op.f('fk_payout_lines_payout_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payout_lines')),
    sa.UniqueConstraint('batch_id', 'payout_id', name=op.f('uq_payout_lines_batch_id_payout_id'))
    )
    op.create_index(op.f('ix_payout_lines_payout_id'), 'payout_lines', ['payout_id'], unique=False)

    op.create_table('sampled_meals',
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('verdict', sa.String(length=5), nullable=True),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('looked_by', sa.String(length=60), nullable=True),
    sa.Column('looked_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("verdict IN ('right','wrong')", name=op.f('ck_sampled_meals_verdict')),
    sa.CheckConstraint('(verdict IS NULL) = (looked_at IS NULL)', name=op.f('ck_sampled_meals_looked')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_sampled_meals_order_id')),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_sampled_meals_statement_id')),
    sa.PrimaryKeyConstraint('statement_id', 'order_id', name=op.f('pk_sampled_meals'))
    )
    op.create_table('appeals',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('grant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('canteen_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('filed_by', sa.String(length=60), nullable=False),
    sa.Column('filed_at', canteen.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('decision', sa.String(length=400), nullable=False),
    sa.Column('decided_by', sa.String(length=60), nullable=True),
    sa.Column('decided_at', canteen.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('returned_fen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("(state = 'filed') = (decided_at IS NULL)", name=op.f('ck_appeals_decided')),
    sa.CheckConstraint("returned_fen = 0 OR (returned_fen > 0 AND state = 'upheld')", name=op.f('ck_appeals_returned')),
    sa.CheckConstraint("state IN ('filed','upheld','rejected')", name=op.f('ck_appeals_state')),
    sa.ForeignKeyConstraint(['canteen_id'], ['canteens.id'], name=op.f('fk_appeals_canteen_id')),
    sa.ForeignKeyConstraint(['grant_id'], ['grants.id'], name=op.f('fk_appeals_grant_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_appeals_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appeals')),
    sa.UniqueConstraint('grant_id', name=op.f('uq_appeals_grant_id'))
    )
    op.create_index(op.f('ix_appeals_canteen_id'), 'appeals', ['canteen_id'], unique=False)
    op.create_index(op.f('ix_appeals_order_id'), 'appeals', ['order_id'], unique=False)

    if op.get_bind().dialect.name == 'postgresql':
        _alter_postgresql()
    else:
        for table, edits in SQLITE.items():
            _rebuild(table, edits, FILLED.get(table, {}))
    op.create_index(op.f('ix_payouts_batch_id'), 'payouts', ['batch_id'], unique=False)
    op.create_index(
        'ix_grants_account', 'grants', ['period', 'canteen_id', 'account_fen'],
        sqlite_where=sa.text('account_fen <> 0'), postgresql_where=sa.text('account_fen <> 0'),
    )
    _make_append_only()


def _alter_postgresql() -> None:
    op.execute("DROP TRIGGER grants_append_only ON grants")
    op.add_column('grants', sa.Column('number', sa.SmallInteger(), nullable=False, server_default='1'))
    op.add_column('grants', sa.Column('cause', sa.String(10), nullable=False, server_default='sale'))
    op.add_column('grants', sa.Column('cause_id', sa.BigInteger(), nullable=True))
    op.execute("UPDATE grants SET number = 2, cause = 'cancelled' WHERE sign = -1")
    op.alter_column('grants', 'number', server_default=None)
    op.alter_column('grants', 'cause', server_default=None)
    op.drop_constraint('uq_grants_order_id_sign', 'grants')
    op.create_unique_constraint(op.f('uq_grants_order_id_number'), 'grants', ['order_id', 'number'])
    op.drop_constraint('ck_grants_sign', 'grants')
    op.create_check_constraint(op.f('ck_grants_sign'), 'grants', NEW_SIGN)
    op.create_check_constraint(op.f('ck_grants_cause'), 'grants', CAUSE)
    # A month's meals are a small part of all, yet the planner must know of the month when it ends.
    op.execute(
        "ALTER TABLE grants SET"
        " (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000)"
    )
    op.execute(
        "CREATE TRIGGER grants_append_only BEFORE UPDATE OR DELETE ON grants"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.add_column('statements', sa.Column('deducted_fen', sa.BigInteger(), nullable=False, server_default='0'))
    op.alter_column('statements', 'deducted_fen', server_default=None)
    op.add_column('statements', sa.Column('rule_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_statements_rule_id'), 'statements', 'review_rules', ['rule_id'], ['id'])
    op.drop_constraint('ck_statements_total', 'statements')
    op.create_check_constraint(op.f('ck_statements_total'), 'statements', NEW_TOTAL)
    op.drop_constraint('ck_statement_steps_verdict', 'statement_steps')
    op.create_check_constraint(
        op.f('ck_statement_steps_verdict'), 'statement_steps', f'verdict IN ({NEW_STEPS})'
    )
    op.add_column('payouts', sa.Column('batch_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_payouts_batch_id'), 'payouts', 'payout_batches', ['batch_id'], ['id'])
    op.drop_constraint('ck_payouts_state', 'payouts')
    op.create_check_constraint(op.f('ck_payouts_state'), 'payouts', f'state IN ({NEW_PAYOUTS})')


def _rebuild(table: str, edits: list[tuple[str, str]], filled: dict[str, str]) -> None:
    """Make a table of SQLite anew from its own text with some words changed, rows and all."""
    bind = op.get_bind()
    made, *others = bind.execute(sa.text(
        "SELECT sql FROM sqlite_master WHERE tbl_name = :t AND sql IS NOT NULL"
        " ORDER BY type <> 'table'"
    ), {'t': table}).scalars().all()
    old = [column['name'] for column in sa.inspect(bind).get_columns(table)]
    for before, after in edits:
        if made.count(before) != 1:
            raise RuntimeError(f"{table} is not as expected: {before}")
        made = made.replace(before, after)
    op.execute(made.replace(f'CREATE TABLE {table} ', f'CREATE TABLE _new_{table} ', 1)
               if f'CREATE TABLE {table} ' in made
               else made.replace(f'CREATE TABLE "{table}" ', f'CREATE TABLE _new_{table} ', 1))
    new = [row[1] for row in bind.execute(sa.text(f'PRAGMA table_info(_new_{table})'))]
    kept = [name for name in new if name in old]
    names = ', '.join(f'"{name}"' for name in (*kept, *filled))
    values = ', '.join((*(f'"{name}"' for name in kept), *filled.values()))
    op.execute(f'INSERT INTO _new_{table} ({names}) SELECT {values} FROM {table}')
    for trigger in [text.split()[2] for text in others if text.startswith('CREATE TRIGGER')]:
        op.execute(f'DROP TRIGGER {trigger}')
    op.execute(f'DROP TABLE {table}')
    op.execute(f'ALTER TABLE _new_{table} RENAME TO {table}')
    for text in others:
        op.execute(sa.text(text.replace(':', '\\:')))


def _make_append_only() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            "CREATE TRIGGER statement_amendments_append_only"
            " BEFORE UPDATE OR DELETE ON statement_amendments"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for act in ('UPDATE', 'DELETE'):
        op.execute(
            f"CREATE TRIGGER statement_amendments_no_{act.lower()} BEFORE {act}"
            " ON statement_amendments"
            " BEGIN SELECT RAISE(ABORT, 'statement_amendments is append-only'); END"
        )


def _alter_postgresql_back() -> None:
    op.execute("DROP TRIGGER statement_amendments_append_only ON statement_amendments")
    op.drop_constraint('ck_payouts_state', 'payouts')
    op.create_check_constraint(op.f('ck_payouts_state'), 'payouts', f'state IN ({OLD_PAYOUTS})')
    op.drop_column('payouts', 'batch_id')
    op.drop_constraint('ck_statement_steps_verdict', 'statement_steps')
    op.create_check_constraint(
        op.f('ck_statement_steps_verdict'), 'statement_steps', f'verdict IN ({OLD_STEPS})'
    )
    op.drop_constraint('ck_statements_total', 'statements')
    op.drop_column('statements', 'rule_id')
    op.drop_column('statements', 'deducted_fen')
    op.create_check_constraint(op.f('ck_statements_total'), 'statements', OLD_TOTAL)
    op.execute(
        "ALTER TABLE grants RESET (autovacuum_analyze_scale_factor, autovacuum_analyze_threshold)"
    )
    op.drop_constraint('ck_grants_cause', 'grants')
    op.drop_constraint('ck_grants_sign', 'grants')
    op.create_check_constraint(op.f('ck_grants_sign'), 'grants', OLD_SIGN)
    op.drop_constraint('uq_grants_order_id_number', 'grants')
    op.create_unique_constraint(op.f('uq_grants_order_id_sign'), 'grants', ['order_id', 'sign'])
    for column in ('cause_id', 'cause', 'number'):
        op.drop_column('grants', column)


def downgrade() -> None:
    op.drop_index('ix_grants_account', table_name='grants')
    op.drop_index(op.f('ix_payouts_batch_id'), table_name='payouts')
    if op.get_bind().dialect.name == 'postgresql':
        _alter_postgresql_back()
    else:
        for table, edits in SQLITE.items():
            _rebuild(table, [(after, before) for before, after in reversed(edits)], {})
    op.drop_index(op.f('ix_appeals_order_id'), table_name='appeals')
    op.drop_index(op.f('ix_appeals_canteen_id'), table_name='appeals')

    op.drop_table('appeals')
    op.drop_table('sampled_meals')
    op.drop_index(op.f('ix_payout_lines_payout_id'), table_name='payout_lines')

    op.drop_table('payout_lines')
    op.drop_index('uq_corrections_asked', table_name='corrections')
    op.drop_index(op.f('ix_corrections_statement_id'), table_name='corrections')
    op.drop_index(op.f('ix_corrections_order_id'), table_name='corrections')

    op.drop_table('corrections')
    op.drop_index('uq_claims_order', table_name='claims')
    op.drop_index(op.f('ix_claims_elder_id'), table_name='claims')

    op.drop_table('claims')
    op.drop_index(op.f('ix_tasks_state'), table_name='tasks')
    op.drop_index(op.f('ix_tasks_asked_by'), table_name='tasks')

    op.drop_table('tasks')
    op.drop_index(op.f('ix_statement_amendments_statement_id'), table_name='statement_amendments')

    op.drop_table('statement_amendments')
    op.drop_table('repayments')
    op.drop_table('policy_drafts')
    op.drop_table('fact_reviews')
    op.drop_index('ix_notices_territory_code_role', table_name='notices')
    op.drop_index(op.f('ix_notices_operator_id'), table_name='notices')
    op.drop_index(op.f('ix_notices_elder_id'), table_name='notices')

    op.drop_table('notices')
    op.drop_index('uq_bank_changes_operator_waiting', table_name='bank_changes')
    op.drop_index('uq_bank_changes_elder_waiting', table_name='bank_changes')
    op.drop_index(op.f('ix_bank_changes_operator_id'), table_name='bank_changes')
    op.drop_index(op.f('ix_bank_changes_elder_id'), table_name='bank_changes')

    op.drop_table('bank_changes')
    op.drop_table('true_ups')
    op.drop_table('sample_draws')
    op.drop_table('review_rules')
    op.drop_table('performance_targets')
    op.drop_index('ix_funds_territory_code_year', table_name='funds')

    op.drop_table('funds')
    op.drop_index(op.f('ix_payout_batches_state'), table_name='payout_batches')

    op.drop_table('payout_batches')
    op.drop_table('bank_returns')
