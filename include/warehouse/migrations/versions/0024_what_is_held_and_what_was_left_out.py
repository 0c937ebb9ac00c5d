"""What is held and what was left out of an experiment.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

KEYS = {
    'variant_sum': ['phase', 'variant'],
    'experiment_exclusion': ['reason'],
    'allocation': ['phase', 'variant'],
    'experiment_check': ['check_name'],
    'experiment_decision': [],
    'experiment_lift': ['kind'],
}
NEW_KEYS = KEYS | {'experiment_exclusion': ['reason', 'variant', 'seen_on'], 'allocation': ['place']}
EXPERIMENT = 'name of the experiment; `experiment` where the file has a single one'
COMMENTS = {
    'allocation': (
        "What is sent after this partition: ranges of the units' places that touch; one empty row in hold.",
        'The shares in force after this partition.',
    ),
    'experiment_exclusion': (
        'What the log holds and no sum counts, by reason, variant and day; what never occurs has no row.',
        'What the log holds and no sum counts, by reason; a reason that never occurs has no row.',
    ),
}
CHECKS = (
    'sample_ratio, exclusions, maturity, minimum_units or minimum_rewards',
    'sample_ratio, maturity or minimum_units',
)
PHASES = ('hold (nothing is sent), pilot or rest', 'pilot or rest')
VARIANTS = ('what to send; missing in hold', 'what to send')
SHARES = (
    'share of the units, 0..1; the shares of a window sum to 1; missing in hold',
    'share of the units, 0..1; the shares of a phase sum to 1',
)


def _rekey(table: str, columns: list[str]) -> None:
    op.execute(f'ALTER TABLE core.{table} DROP CONSTRAINT pk_{table}')
    op.create_primary_key(f'pk_{table}', table, columns, schema='core')


def _comment(table: str, place: int) -> None:
    op.execute(sa.text(f"COMMENT ON TABLE core.{table} IS '{COMMENTS[table][place].replace(chr(39), chr(39) * 2)}'"))


def upgrade() -> None:
    for table in NEW_KEYS:
        op.add_column(table, sa.Column('experiment', sa.Text(), nullable=False, server_default='experiment', comment=EXPERIMENT), schema='core')
        op.alter_column(table, 'experiment', server_default=None, schema='core')
    op.add_column('experiment_exclusion', sa.Column('variant', sa.Text(), nullable=False, server_default='', comment='variant as the log writes it, known or not; empty where the row names none'), schema='core')
    op.add_column('experiment_exclusion', sa.Column('seen_on', sa.Text(), nullable=False, server_default='', comment='UTC day of the exposure, of the reward or of the record'), schema='core')
    for name in ('variant', 'seen_on'):
        op.alter_column('experiment_exclusion', name, server_default=None, schema='core')
    op.add_column('experiment_check', sa.Column('advice', sa.Text(), nullable=False, server_default='', comment='what to look at or do; empty where nothing is needed'), schema='core')
    op.alter_column('experiment_check', 'advice', server_default=None, schema='core')
    op.alter_column('experiment_check', 'check_name', comment=CHECKS[0], schema='core')
    op.add_column('allocation', sa.Column('place', sa.Integer(), nullable=True, comment='order of the ranges, from 0'), schema='core')
    op.add_column('allocation', sa.Column('low', sa.Float(), nullable=True, comment='units whose place is from here on get the variant, 0..1; missing in hold'), schema='core')
    op.add_column('allocation', sa.Column('high', sa.Float(), nullable=True, comment='and below here; missing in hold'), schema='core')
    op.execute('DELETE FROM core.allocation WHERE share_ratio = 0')
    # Ranges touch, to the last bit, and end at 1; units held back have the lowest places, so what is sent comes last.
    op.execute(
        'UPDATE core.allocation AS a SET place = b.place, low = coalesce(b.below, 0), high = CASE WHEN b.is_last THEN 1 ELSE b.high END FROM ('
        'SELECT *, lag(high) OVER w AS below, lead(high) OVER w IS NULL AS is_last FROM ('
        'SELECT problem, partition_key, c.phase, c.variant, row_number() OVER v - 1 AS place, sum(c.share_ratio) OVER v AS high '
        'FROM core.allocation AS c LEFT JOIN core.experiment_decision AS d USING (problem, partition_key) '
        "WINDOW v AS (PARTITION BY problem, partition_key ORDER BY c.phase, c.phase = 'rest' AND c.variant IS NOT DISTINCT FROM d.variant, c.variant)"
        ') AS laid WINDOW w AS (PARTITION BY problem, partition_key ORDER BY place)) AS b '
        'WHERE (a.problem, a.partition_key, a.phase, a.variant) = (b.problem, b.partition_key, b.phase, b.variant)'
    )
    for table, own in NEW_KEYS.items():
        if table == 'allocation':
            op.alter_column(table, 'place', nullable=False, schema='core')
        _rekey(table, ['problem', 'experiment', 'partition_key', *own])
    op.alter_column('allocation', 'phase', comment=PHASES[0], schema='core')
    op.alter_column('allocation', 'variant', nullable=True, comment=VARIANTS[0], schema='core')
    op.alter_column('allocation', 'share_ratio', nullable=True, comment=SHARES[0], schema='core')
    # Between pilot and decision the control was sent to everybody; now nobody is sent anything.
    op.execute(
        "UPDATE core.allocation AS a SET phase = 'hold', variant = NULL, share_ratio = NULL, low = NULL, high = NULL "
        'FROM core.experiment_decision AS d WHERE (a.problem, a.partition_key) = (d.problem, d.partition_key) '
        "AND a.phase = 'rest' AND NOT d.is_final"
    )
    # What is in force is written once more by the code, which knows the order of the file.
    op.execute(
        "UPDATE core.coverage AS c SET status = 'running' FROM (SELECT problem, max(partition_key) AS partition_key "
        'FROM core.allocation GROUP BY problem) AS n '
        "WHERE (c.problem, c.partition_key) = (n.problem, n.partition_key) AND c.stage = 'experiment' AND c.status = 'done'"
    )
    for table in COMMENTS:
        _comment(table, 0)


def downgrade() -> None:
    op.execute("DELETE FROM core.allocation WHERE phase = 'hold'")
    for table in KEYS:
        # The older tables know a single experiment, and no variant or day of what was left out.
        op.execute(f"DELETE FROM core.{table} WHERE experiment <> 'experiment'")
    op.execute(
        'UPDATE core.experiment_exclusion AS a SET n_rows = b.n_rows FROM (SELECT problem, partition_key, reason, '
        'sum(n_rows) AS n_rows FROM core.experiment_exclusion GROUP BY 1, 2, 3) AS b '
        'WHERE (a.problem, a.partition_key, a.reason) = (b.problem, b.partition_key, b.reason)'
    )
    op.execute(
        'DELETE FROM core.experiment_exclusion AS a USING core.experiment_exclusion AS b '
        'WHERE (a.problem, a.partition_key, a.reason) = (b.problem, b.partition_key, b.reason) '
        'AND (a.variant, a.seen_on) > (b.variant, b.seen_on)'
    )
    for table, own in KEYS.items():
        _rekey(table, ['problem', 'partition_key', *own])
        op.drop_column(table, 'experiment', schema='core')
    for table, columns in {'allocation': ['place', 'low', 'high'], 'experiment_exclusion': ['variant', 'seen_on'], 'experiment_check': ['advice']}.items():
        for name in columns:
            op.drop_column(table, name, schema='core')
    op.alter_column('experiment_check', 'check_name', comment=CHECKS[1], schema='core')
    op.alter_column('allocation', 'phase', comment=PHASES[1], schema='core')
    op.alter_column('allocation', 'variant', nullable=False, comment=VARIANTS[1], schema='core')
    op.alter_column('allocation', 'share_ratio', nullable=False, comment=SHARES[1], schema='core')
    for table in COMMENTS:
        _comment(table, 1)
