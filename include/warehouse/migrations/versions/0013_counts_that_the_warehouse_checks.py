"""Counts that the warehouse checks: what a refusal keeps out is a number, too.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

COMMENT = 'rows kept out because the partition was refused as a whole; 0 where it was published'
TABLE_COMMENT = 'One row per partition; rows in = published + quarantined + duplicates{}'

# Older code stored counts that do not add up: nothing published once retention had taken the rows out, an erased row
# counted twice. They are made to add up, the likeliest fault first; the last resort believes the parts, not the whole.
OFF = 'n_in <> n_published + n_quarantined + n_duplicate + n_refused'
REPAIRS = (
    f"""
        UPDATE core.partition_audit SET n_published = n_in - n_quarantined - n_duplicate
        WHERE {OFF} AND verdict <> 'refused' AND n_in_lake = 0 AND n_in >= n_quarantined + n_duplicate
    """,
    f"""
        UPDATE core.partition_audit SET n_quarantined = n_in - n_published - n_duplicate - n_refused
        WHERE {OFF} AND n_in >= n_published + n_duplicate + n_refused
    """,
    f"""
        UPDATE core.partition_audit SET n_in = n_published + n_quarantined + n_duplicate + n_refused
        WHERE {OFF}
    """,
)


def upgrade() -> None:
    column = sa.Column('n_refused', sa.Integer(), autoincrement=False, nullable=False, comment=COMMENT, server_default='0')
    op.add_column('partition_audit', column, schema='core')
    op.alter_column('partition_audit', 'n_refused', server_default=None, schema='core')
    op.execute("""
        UPDATE core.partition_audit SET n_published = 0, n_refused = greatest(0, n_in - n_quarantined - n_duplicate)
        WHERE verdict = 'refused'
    """)
    for repair in REPAIRS:
        op.execute(repair)
    law = "n_in = n_published + n_quarantined + n_duplicate + n_refused"
    op.create_check_constraint(op.f('ck_partition_audit_counts'), 'partition_audit', law, schema='core')
    only = "n_refused = 0 OR (verdict = 'refused' AND n_published = 0)"
    op.create_check_constraint(op.f('ck_partition_audit_refused'), 'partition_audit', only, schema='core')
    op.create_table_comment('partition_audit', TABLE_COMMENT.format('; of a refused one, + refused.'), schema='core')


def downgrade() -> None:
    op.drop_constraint(op.f('ck_partition_audit_refused'), 'partition_audit', schema='core', type_='check')
    op.drop_constraint(op.f('ck_partition_audit_counts'), 'partition_audit', schema='core', type_='check')
    op.drop_column('partition_audit', 'n_refused', schema='core')
    op.create_table_comment('partition_audit', TABLE_COMMENT.format('; a refused one publishes 0.'), schema='core')
