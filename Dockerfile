# One image for the web server, the scheduler and the command line; compose.yaml runs all three.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONUTF8=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/canteen

# The fonts of the statements printed as PDF.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*

# The dependencies are a layer of their own: they change less often than the code.
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt

COPY pyproject.toml wsgi.py gunicorn.conf.py ./
COPY canteen canteen
COPY templates templates
COPY migrations migrations
RUN pip install --no-deps --no-build-isolation -e . \
    && python -m compileall -q canteen \
    && useradd --system --create-home canteen \
    && install -d -o canteen -g canteen -m 0750 /var/lib/canteen

USER canteen
ENV CANTEEN_INSTANCE=/var/lib/canteen HOST=0.0.0.0 PORT=8000
VOLUME /var/lib/canteen
EXPOSE 8000

HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/readyz'); raise SystemExit(c.getresponse().status != 200)"]

CMD ["gunicorn", "--config", "gunicorn.conf.py"]
