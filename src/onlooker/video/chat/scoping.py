"""Rewrites of checked statements that keep their meaning: only some videos, and the tracklets behind an aggregate.

Both work on the syntax tree and put in nothing but whole numbers and names of ours. What comes out goes through the
guard again like any other statement.
"""

from __future__ import annotations

from collections.abc import Sequence

from onlooker.errors import QueryRefusedError
from onlooker.video.chat.guard import check
from onlooker.video.store.views import VIEWS

_KEY_OF_VIDEO = {
    view.name: next((c.name for c in view.columns if c.name == ("key" if view.name == "videos" else "video_key")), None)
    for view in VIEWS
}
_MAX_KEYS_BEHIND = 200


def limit_to_videos(sql: str, video_keys: Sequence[int]) -> str:
    """The same statement over some videos only: every view it reads is cut down to them.

    Raises:
        QueryRefusedError: the guard refuses it, or a view in it does not say which video a row belongs to.
    """
    import sqlglot
    from sqlglot import exp

    checked = check(sql)
    tree = sqlglot.parse_one(checked.sql, read="sqlite")
    keys = ", ".join(str(int(key)) for key in video_keys)
    for table in list(tree.find_all(exp.Table)):
        name = table.name.lower()
        if name not in checked.views:
            continue
        column = _KEY_OF_VIDEO[name]
        if column is None:
            raise QueryRefusedError(f"`{name}` does not tell videos apart; use `tracklets` and `boxes`")
        part = sqlglot.parse_one(f"SELECT * FROM {name} WHERE {column} IN ({keys})", read="sqlite")  # noqa: S608
        table.replace(exp.Subquery(this=part, alias=exp.TableAlias(this=exp.to_identifier(table.alias or name))))
    return check(tree.sql("sqlite")).sql


def evidence_sql(sql: str) -> str | None:
    """The statement that lists the tracklets an aggregate over `tracklets` was made of; `None` where there is none."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(check(sql).sql, read="sqlite")
    if not isinstance(tree, exp.Select) or any(tree.args.get(part) for part in ("with_", "with", "group", "having")):
        return None
    source = tree.args.get("from_") or tree.args.get("from")
    if source is None or not any(column.find(exp.AggFunc) for column in tree.expressions):
        return None
    table = source.this
    name = table.name.lower() if isinstance(table, exp.Table) else _name_inside(table)
    if name != "tracklets":
        return None
    key = exp.column("key", table=table.alias or name)
    for part in ("order", "limit", "offset", "distinct", "windows"):
        tree.set(part, None)
    tree.set("expressions", [key])
    return str(tree.distinct().limit(_MAX_KEYS_BEHIND).sql("sqlite"))


def _name_inside(table: object) -> str | None:
    """The view inside `(SELECT * FROM view WHERE ...)`, as `limit_to_videos` writes it."""
    from sqlglot import exp

    if not isinstance(table, exp.Subquery) or not isinstance(table.this, exp.Select):
        return None
    tables = list(table.this.find_all(exp.Table))
    starred = len(table.this.expressions) == 1 and isinstance(table.this.expressions[0], exp.Star)
    return tables[0].name.lower() if starred and len(tables) == 1 else None
