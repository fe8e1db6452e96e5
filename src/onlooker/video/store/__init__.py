"""The library file: tables, views, migrations, transactions."""

from onlooker.video.store.store import Store

__all__ = ["Store"]
