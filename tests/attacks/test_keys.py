"""What is kept of a request made once does not give away what was in it."""

from __future__ import annotations

import hashlib

from flask import Flask

from canteen import once
from canteen.db import canonical, db, transaction


def test_a_number_cannot_be_guessed_from_the_digest_kept_of_a_request(app: Flask) -> None:
    wish = {"id_number": "129901194001011232", "name": "王桂英"}
    with transaction():
        once.claim("user:1", "a-key-of-mine", wish)
    kept = db.session.get_one(once.OnceKey, ("user:1", "a-key-of-mine")).digest
    assert kept != hashlib.sha256(canonical(wish).encode()).hexdigest()
