"""One process of a race: makes the application, says it is ready, waits for the start, then posts.

It is given {"ready", "go", "token", "posts": [{"path", "json", "key"}]} and prints the answers as
JSON.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from canteen import create_app


def run(task: dict[str, Any]) -> None:
    """Run this racer."""
    client = create_app().test_client()
    client.get("/readyz")  # the connection is open and every module loaded before the start
    Path(task["ready"]).touch()
    while not Path(task["go"]).exists():
        time.sleep(0.001)
    answers = []
    for post in task["posts"]:
        headers = {"Authorization": f"Bearer {task['token']}", "Idempotency-Key": post["key"]}
        answer = client.post(post["path"], json=post["json"], headers=headers)
        answers.append({"status": answer.status_code, "body": answer.get_json(silent=True)})
    print(json.dumps(answers))
