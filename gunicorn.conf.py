"""How gunicorn serves the web door; each value can be set from the environment."""

import os

wsgi_app = "wsgi:app"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

# Threads wait for the database and the payment provider; processes use the cores.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))

timeout = 60
graceful_timeout = 20
keepalive = 5

# A worker's heartbeat file on a slow disk would look like a worker that hangs.
shm = "/dev/shm"  # noqa: S108, gunicorn makes its own private file in it
worker_tmp_dir = shm if os.access(shm, os.W_OK) else None
control_socket_disable = True

# The service logs each request itself, by its rule and without what was asked for: an address may
# hold a name or an ID number, and an access log would keep it.
accesslog = None
errorlog = "-"
