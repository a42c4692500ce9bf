"""The database room: SQLAlchemy lives here and nowhere else."""
