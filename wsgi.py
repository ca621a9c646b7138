"""What the web server loads: `gunicorn wsgi:app`."""

from canteen import create_app

app = create_app()
