"""What many tests lay out alike is laid out once in a process; then its rows are put back.

A function marked `kept` runs when a database is in a state it has not run in before. Whenever a
later test calls it in that state, with those arguments and at that time, the rows it left are laid
down as they were and the objects it gave are made again, of the same session, as loaded as they
were. A database written to in any other way is in no known state: there the function just runs.
"""

from __future__ import annotations

import inspect
import io
import pickle
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from canteen import clock
from canteen.db import db, in_transaction

P = ParamSpec("P")
T = TypeVar("T")
YOUNG = timedelta(minutes=10)  # what was laid out so long ago may pass for laid out now


class Store(Protocol):
    """A database whose rows can be kept and put back."""

    def keep(self) -> object:
        """Keep every row; gives what to put back."""

    def put_back(self, rows: object) -> None:
        """Leave exactly these rows in the database."""


@dataclass
class _Left:
    """What a function left behind: when, which rows, and what it gave."""

    at: datetime
    rows: object
    given: bytes


class Files:
    """SQLite files, wherever they lie."""

    def keep(self) -> bytes:
        """The whole file, with what is still in its journal."""
        with closing(sqlite3.connect(str(db.engine.url.database))) as connection:
            return zlib.compress(connection.serialize(), 1)  # most pages hold nothing

    def put_back(self, rows: bytes) -> None:
        """Lay another file in its place: whoever still has the old one open keeps what he has."""
        db.engine.dispose()
        place = Path(str(db.engine.url.database))
        for old in place.parent.glob(f"{place.name}*"):
            old.unlink()
        place.write_bytes(zlib.decompress(rows))


FILES = Files()
_stores: dict[str, Store] = {}  # by the name of the database
_states: dict[str, tuple[str, ...]] = {}  # what has been done to those in a known state
_left: dict[tuple[Store, tuple[str, ...]], _Left] = {}


def serve(name: str, store: Store) -> None:
    """This store knows how to keep the database of this name; files need not be told of."""
    _stores[name] = store


@contextmanager
def begun() -> Iterator[None]:
    """For the length of the block, all that is done to the application's database is known.

    It begins empty and migrated. What other processes write is not seen from here, so lay out
    first and let them write afterwards.
    """
    name = str(db.engine.url.database)
    if db.engine.dialect.name == "sqlite":
        _stores[name] = FILES
    if name in _stores:
        _states[name] = ()
    yield
    _states.pop(name, None)


@sa.event.listens_for(sa.Engine, "commit")
def _written(connection: sa.Connection) -> None:
    _states.pop(str(connection.engine.url.database), None)


def kept(make: Callable[P, T]) -> Callable[P, T]:
    """Let a function that writes to the database and knows only its arguments run but once.

    It may not change its arguments, nor keep anything elsewhere; and a test that puts something
    else in the place of our code lays out its world before.
    """
    shape = inspect.signature(make)

    @wraps(make)
    def laid_out(*args: P.args, **kwargs: P.kwargs) -> T:
        name = str(db.engine.url.database)
        state, session = _states.get(name), db.session()
        if state is None or in_transaction() or session.new or session.dirty:
            return make(*args, **kwargs)
        given = shape.bind(*args, **kwargs)
        given.apply_defaults()
        now = clock.now()
        when = f"{now:%Y-%m-%d %H:%M}" if _travelling() else str(clock.business_date(now))
        after = (*state, f"{make.__module__}.{make.__qualname__}{given.arguments} {when}")
        assert " at 0x" not in after, "what is called by its address is another thing next time"
        store = _stores[name]
        left = _left.get((store, after))
        if left is None or not (_travelling() or timedelta(0) <= now - left.at < YOUNG):
            with time_machine.travel(now, tick=False):  # nothing lies in a later test's future
                made = make(*args, **kwargs)
            left = _left[store, after] = _Left(now, store.keep(), _written_down(made))
        else:
            session.rollback()
            store.put_back(left.rows)
            made = _Reader(io.BytesIO(left.given)).load()
        _states[name] = after
        return made

    return laid_out


def _travelling() -> bool:
    return time_machine.escape_hatch.is_travelling()


def _written_down(made: object) -> bytes:
    file = io.BytesIO()
    _Writer(file).dump(made)
    return file.getvalue()


class _Writer(pickle.Pickler):
    """Writes a row's object down as its class, its key and what is loaded of it."""

    def persistent_id(self, thing: Any) -> Any:
        if not isinstance(thing, db.Model):
            return None
        state = sa.inspect(thing)
        names = {each.key for each in state.mapper.column_attrs}
        loaded = {name: state.dict[name] for name in names & state.dict.keys()}
        return type(thing), state.identity, loaded


class _Reader(pickle.Unpickler):
    """Makes objects of the present session of what was written down."""

    def persistent_load(self, known: Any) -> Any:
        kind, identity, loaded = known
        mapper, session = sa.inspect(kind), db.session()
        present = session.identity_map.get(mapper.identity_key_from_primary_key(identity))
        if present is not None:
            return present
        thing = mapper.class_manager.new_instance()
        key = {
            mapper.get_property_by_column(column).key: value
            for column, value in zip(mapper.primary_key, identity, strict=True)
        }
        for name, value in (key | loaded).items():
            set_committed_value(thing, name, value)
        make_transient_to_detached(thing)
        session.add(thing)
        return thing
