"""Alembic's entry: migrates the journal's own tables on the connection and in the transaction it is given."""

from alembic import context

from db.schema import journal

context.configure(connection=context.config.attributes["connection"], target_metadata=journal)
context.run_migrations()
