"""Every setting, read from the environment once."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SECRETS = ("session_key", "cipher_key", "hash_key", "audit_key", "payment_key", "webhook_secret")


@dataclass(frozen=True)
class Settings:
    """The settings of one process. Keys are hex strings; `secrets.json` keeps those not given."""

    instance: Path
    database_url: str
    city: str = "120000"
    session_key: str = field(default="", repr=False)
    cipher_key: str = field(default="", repr=False)
    hash_key: str = field(default="", repr=False)
    audit_key: str = field(default="", repr=False)
    payment_key: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    provider: str = "pretend"
    provider_url: str = "https://api.stripe.com"
    https: bool = False
    pool_size: int = 8
    # [D] How long a change of a payout account waits for the old contact to say no.
    account_wait_days: int = 3
    # Where messages to phones go; empty: they are only listed, to be sent by hand.
    notice_url: str = ""
    notice_key: str = field(default="", repr=False)
    log_level: str = "INFO"
    testing: bool = False


_current: Settings | None = None


def current() -> Settings:
    """The settings of this process, as `use` left them."""
    if _current is None:
        raise RuntimeError("create_app() has not been called")
    return _current


def use(settings: Settings) -> Settings:
    """Make these the settings of this process."""
    global _current
    _current = settings
    return settings


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; whatever secret is missing is made once and kept 0600."""
    env = os.environ if environment is None else environment
    root = Path(__file__).resolve().parent.parent
    instance = Path(env.get("CANTEEN_INSTANCE") or root / "instance").resolve()
    instance.mkdir(parents=True, exist_ok=True)
    given = {name: env.get(f"CANTEEN_{name.upper()}", "") for name in SECRETS}
    kept = {} if all(given.values()) else _kept_secrets(instance / "secrets.json")
    url = env.get("DATABASE_URL") or f"sqlite:///{instance / 'canteen.db'}"
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            url = "postgresql+psycopg://" + url.removeprefix(short)
    return Settings(
        instance=instance,
        database_url=url,
        city=env.get("CANTEEN_CITY", "120000"),
        provider=env.get("CANTEEN_PROVIDER", "pretend"),
        provider_url=env.get("CANTEEN_PROVIDER_URL", "https://api.stripe.com"),
        https=env.get("CANTEEN_HTTPS", "") == "1",
        pool_size=int(env.get("CANTEEN_POOL_SIZE", "8")),
        account_wait_days=int(env.get("CANTEEN_ACCOUNT_WAIT_DAYS", "3")),
        notice_url=env.get("CANTEEN_NOTICE_URL", ""),
        notice_key=env.get("CANTEEN_NOTICE_KEY", ""),
        log_level=env.get("CANTEEN_LOG_LEVEL", "INFO"),
        **{name: given[name] or kept[name] for name in SECRETS},
    )


def _kept_secrets(path: Path) -> dict[str, str]:
    """The secrets of this instance folder, made by whichever process came first."""
    made = {name: secrets.token_hex(32) for name in SECRETS}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(made, indent=1))
        try:
            os.link(draft, path)  # atomic, and never over another process's file
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return made | json.loads(path.read_text())
