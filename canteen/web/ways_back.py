"""Ways back to a page that can be read: an address a form was sent to shows nothing to a reader."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect


def readable(path: str) -> bool:
    """Whether a path of ours answers to being read."""
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


def nearest_page(address: str) -> str:
    """The address itself if it can be read, else the nearest one above it, at last the start.

    One that nobody ever made stays as it is: it is not for us to guess what was meant.
    """
    path = urlsplit(address).path
    if readable(path) or not _somebody_posts(path):
        return address
    while path.count("/") > 1:
        path = path.rsplit("/", 1)[0]
        if readable(path):
            return path
    return "/"


def form_page() -> str:
    """Where the form stood that was just sent: the page it came from, else the nearest one."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc == request.host and readable(came_from.path):
        return came_from.path + (f"?{came_from.query}" if came_from.query else "")
    query = request.query_string.decode("ascii", "ignore")
    here = f"{request.path}?{query}" if query else request.path
    return nearest_page(here)


def _somebody_posts(path: str) -> bool:
    try:
        current_app.url_map.bind("").match(path, method="POST")
    except HTTPException:
        return False
    return True
