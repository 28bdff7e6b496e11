"""Every poll with its reason, hosts at rest, what is wrong with feeds, linked pages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("feeds", sa.Column("user_agent", sa.Text(), nullable=True))
    op.add_column("feeds", sa.Column("headers", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("feeds", sa.Column("auth_file", sa.Text(), nullable=True))
    op.add_column(
        "feeds", sa.Column("fetch_content", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("feeds", sa.Column("origin", sa.Text(), nullable=False, server_default="config"))
    op.add_column("feeds", sa.Column("host", sa.Text(), nullable=False, server_default=""))
    op.add_column("feeds", sa.Column("added_at", _UTC, nullable=True))
    op.add_column("feeds", sa.Column("pause_reason", sa.Text(), nullable=True))
    op.add_column("feeds", sa.Column("window", sa.Float(), nullable=True))
    op.add_column("feeds", sa.Column("window_start", _UTC, nullable=True))
    op.add_column("feeds", sa.Column("last_new_at", _UTC, nullable=True))
    op.add_column("feeds", sa.Column("gap_at", _UTC, nullable=True))
    op.add_column("feeds", sa.Column("hurry", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("feeds", sa.Column("learned_url", sa.Text(), nullable=True))
    op.add_column("feeds", sa.Column("moved_to", sa.Text(), nullable=True))
    op.add_column("feeds", sa.Column("moved_since", _UTC, nullable=True))
    op.add_column("feeds", sa.Column("moved_times", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "feeds", sa.Column("is_new_address", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute("UPDATE feeds SET pause_reason = 'gone' WHERE paused")
    # Not in a batch: that would make the table anew, and its items point at the old one.
    op.drop_column("feeds", "paused")
    op.create_index(op.f("ix_feeds_host"), "feeds", ["host"], unique=False)
    op.create_table(
        "polls",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("feed_id", sa.Text(), nullable=False),
        sa.Column("at", _UTC, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=True),
        sa.Column("new", sa.Integer(), nullable=True),
        sa.Column("next_poll_at", _UTC, nullable=False),
        sa.Column("next_poll_why", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_polls_feed_id_feeds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_polls")),
    )
    with op.batch_alter_table("polls", schema=None) as polls:
        polls.create_index(polls.f("ix_polls_feed_id_at"), ["feed_id", "at"], unique=False)
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("paused_until", _UTC, nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_hosts")),
    )
    op.create_table(
        "chores",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("done_at", _UTC, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chores")),
    )
    op.create_table(
        "troubles",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", _UTC, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", "kind", name=op.f("pk_troubles")),
    )
    op.create_table(
        "pages",
        sa.Column("item_id", _BIG_ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("is_flood", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", _UTC, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fetched_at", _UTC, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_pages_item_id_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_pages")),
    )
    with op.batch_alter_table("pages", schema=None) as pages:
        pages.create_index(pages.f("ix_pages_due_at"), ["due_at"], unique=False)
        pages.create_index(pages.f("ix_pages_fetched_at"), ["fetched_at"], unique=False)
        pages.create_index(pages.f("ix_pages_url_key"), ["url_key"], unique=False)


def downgrade() -> None:
    for table in ("pages", "troubles", "chores", "hosts", "polls"):
        op.drop_table(table)
    op.add_column("feeds", sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(sa.text("UPDATE feeds SET paused = :yes WHERE pause_reason IS NOT NULL").bindparams(yes=True))
    op.drop_index(op.f("ix_feeds_host"), table_name="feeds")
    for column in (
        *("user_agent", "headers", "auth_file", "fetch_content", "origin", "host", "added_at"),
        *("pause_reason", "window", "window_start", "last_new_at", "gap_at", "hurry"),
        *("learned_url", "moved_to", "moved_since", "moved_times", "is_new_address"),
    ):
        op.drop_column("feeds", column)
