"""What Alembic runs: it works on the connection that ``upgrade`` hands it."""

from alembic import context

from gateway.city.db.schema.whole import metadata


def _run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,  # SQLite alters tables by copying them
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
