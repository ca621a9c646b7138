"""create_app(): joins config, database and doors; nothing else."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from canteen import config
from canteen import db as database

ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: config.Settings | None = None) -> Flask:
    """The service as one WSGI application, with the settings given or read from the environment."""
    settings = config.use(settings or config.read())
    app = Flask(
        __name__,
        instance_path=str(settings.instance),
        template_folder=str(ROOT / "templates"),
    )
    app.config.update(
        SECRET_KEY=settings.session_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=database.engine_options(
            settings.database_url, settings.pool_size
        ),
        TESTING=settings.testing,
        SETTINGS=settings,
    )
    database.db.init_app(app)
    with app.app_context():
        database.prepare(database.db.engine)
    Migrate(
        app, database.db, directory=str(ROOT / "migrations"),
        render_as_batch=True, compare_type=True,
    )
    from canteen import registry, web
    from canteen.demo import provider

    assert registry.ROOMS
    provider.install(settings)
    web.open_doors(app)
    return app
