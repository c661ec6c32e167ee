"""Runs the history of migrations on the connection it is given (`anshang.foundation.migrations`)."""

from alembic import context

from anshang.foundation.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=False,
    transactional_ddl=True,
)
context.run_migrations()
