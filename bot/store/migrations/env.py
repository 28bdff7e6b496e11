"""Alembic's entry point: it runs on the connection that `migrate.py` hands over."""

from alembic import context

from bot.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=False,  # the transaction is migrate.py's
)
context.run_migrations()
