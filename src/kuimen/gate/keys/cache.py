"""A bounded cache whose entries expire by the business clock."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from kuimen.foundation import clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ExpiringCache(Generic[K, V]):
    """Least recently used entries leave first; an entry older than `lifetime` is never returned.

    A clock that was set back counts as expiry: an entry from the future is not trusted.
    """

    def __init__(self, *, capacity: int, lifetime: timedelta) -> None:
        """Hold at most `capacity` entries for at most `lifetime` each."""
        self._capacity = capacity
        self._lifetime = lifetime
        self._entries: OrderedDict[K, tuple[datetime, V]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the fresh value of `key`, or None."""
        return self.get_many((key,)).get(key)

    def get_many(self, keys: Iterable[K]) -> dict[K, V]:
        """Return the fresh values among `keys`, all judged at one moment; much cheaper than asking one by one."""
        moment = clock.now()
        found: dict[K, V] = {}
        with self._lock:
            for key in keys:
                held = self._entries.get(key)
                if held is None:
                    continue
                stored_at, value = held
                if not timedelta(0) <= moment - stored_at < self._lifetime:
                    del self._entries[key]
                    continue
                self._entries.move_to_end(key)
                found[key] = value
        return found

    def put(self, key: K, value: V) -> None:
        """Keep `value`; the entry unused for longest leaves when there is no room."""
        moment = clock.now()
        with self._lock:
            self._entries[key] = (moment, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def forget(self, condition: Callable[[K], bool]) -> None:
        """Drop every entry whose key meets `condition`."""
        with self._lock:
            for key in [one for one in self._entries if condition(one)]:
                del self._entries[key]

    def take(self, condition: Callable[[K], bool]) -> list[V]:
        """Drop every entry whose key meets `condition` and return the values, so that their owner can wipe them."""
        with self._lock:
            keys = [one for one in self._entries if condition(one)]
            return [self._entries.pop(key)[1] for key in keys]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._entries.clear()

    def drain(self) -> list[V]:
        """Drop everything and return the values, so that their owner can wipe them."""
        with self._lock:
            values = [value for _, value in self._entries.values()]
            self._entries.clear()
        return values

    def after_fork(self) -> None:
        """Replace the lock, which another thread may have held when the process was copied."""
        self._lock = Lock()
