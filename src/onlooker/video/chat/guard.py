"""The first wall around untrusted SQL: a statement passes only if it is one bounded read of the public views.

`check` looks at text alone and needs no database. The second wall is `store/reader.py` (read-only connection,
authoriser, limits); each is built to hold without the other.

What passes: one SELECT, compound SELECT or WITH ... SELECT; tables from `views.VIEW_NAMES` and the statement's own
named subqueries; functions from `ALLOWED_FUNCTIONS`. Functions are allowed by what they can cost as much as by what
they can do: SQLite cannot be interrupted inside one function call, so those whose time or output grows with the product
of their arguments (`replace`, `instr`, two-argument `trim`, free-form `printf`) stay out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onlooker.errors import QueryRefusedError
from onlooker.video.chat.sql_tokens import Token, scan, without_comments
from onlooker.video.store.views import VIEW_NAMES

if TYPE_CHECKING:
    from sqlglot import exp

MAX_SQL_CHARS = 20_000
MAX_TOKENS = 4_000  # parsing costs some 50 microseconds each; chains of operators reach thousands in few characters
MAX_NESTING = 40  # brackets: far above any question, far below what would exhaust a recursive parser
MAX_CALLS = 200  # functions and LIKE/GLOB in one statement: SQLite checks the time only between rows
MAX_TABLE_READS = 60  # with every named subquery counted as often as it is used; SQLite itself joins at most 64

AGGREGATES = frozenset({"count", "sum", "total", "avg", "min", "max", "group_concat"})
SCALARS = frozenset(
    {
        "abs",
        "ceil",
        "ceiling",
        "coalesce",
        "floor",
        "format",
        "glob",
        "ifnull",
        "iif",
        "length",
        "like",
        "lower",
        "ltrim",
        "mod",
        "nullif",
        "pow",
        "power",
        "printf",
        "round",
        "rtrim",
        "sign",
        "sqrt",
        "strftime",
        "substr",
        "substring",
        "time",
        "trim",
        "typeof",
        "upper",
    }
)
WINDOWS = frozenset(
    {
        "row_number",
        "rank",
        "dense_rank",
        "percent_rank",
        "cume_dist",
        "ntile",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "nth_value",
    }
)
ALLOWED_FUNCTIONS = AGGREGATES | SCALARS | WINDOWS
LIST_TABLE = "json_each"  # `IN (SELECT value FROM json_each(:list))` binds a list of any length as one parameter
_ONE_ARGUMENT = frozenset({"trim", "ltrim", "rtrim"})
_SAFE_FORMAT = re.compile(r"(?:[^%]|%%|%[-+ 0,]?\d{0,2}(?:\.\d{1,2})?[dfgis])*\Z")
# Unquoted words that may stand before an opening bracket without being a function.
_BEFORE_BRACKET = frozenset(
    {
        "all",
        "and",
        "as",
        "between",
        "by",
        "case",
        "cast",
        "distinct",
        "else",
        "end",
        "escape",
        "except",
        "exists",
        "filter",
        "from",
        "group",
        "having",
        "in",
        "intersect",
        "is",
        "join",
        "limit",
        "materialized",
        "not",
        "offset",
        "on",
        "or",
        "order",
        "over",
        "partition",
        "select",
        "then",
        "union",
        "using",
        "values",
        "when",
        "where",
        "with",
    }
)
_FORBIDDEN_PREFIXES = ("base_", "sqlite_", "pragma_")


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A statement that passed. `sql` is what to run: the text without comments and trailing semicolons.

    `views` are the views it reads, `subqueries` the names its WITH gives, in lower case. `named_parameters` are the
    names it binds (`:name`), in order of first use; `n_positional` is how many values its `?` need. One of the two is
    empty.
    """

    sql: str
    views: frozenset[str]
    subqueries: frozenset[str]
    named_parameters: tuple[str, ...]
    n_positional: int


def check(sql: str) -> CheckedQuery:
    """Accept `sql` as one bounded read of the public views, or refuse it.

    Raises:
        QueryRefusedError: naming what was refused and what is allowed.
    """
    if len(sql) > MAX_SQL_CHARS:
        raise QueryRefusedError(f"the statement has {len(sql)} characters; at most {MAX_SQL_CHARS} are allowed")
    tokens = scan(sql)
    if not tokens:
        raise QueryRefusedError("the statement is empty; write one SELECT")
    if len(tokens) > MAX_TOKENS:
        raise QueryRefusedError(f"the statement has {len(tokens)} words and signs; at most {MAX_TOKENS} are allowed")
    if not tokens[0].is_word("select", "with"):
        raise QueryRefusedError(
            f"only SELECT (or WITH ... SELECT) is allowed, the statement begins with `{_short(tokens[0].text)}`"
        )
    _check_nesting(tokens)
    _check_calls(tokens)
    named, n_positional = _parameters(tokens)
    cleaned = without_comments(sql)
    views, subqueries = _check_tables(_parse(cleaned))
    return CheckedQuery(cleaned, views, subqueries, named, n_positional)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "..."


def _check_nesting(tokens: Sequence[Token]) -> None:
    depth = 0
    for token in tokens:
        depth += token.is_operator("(") - token.is_operator(")")
        if depth > MAX_NESTING:
            raise QueryRefusedError(f"brackets are nested deeper than {MAX_NESTING}")
        if depth < 0:
            raise QueryRefusedError("a bracket is closed that was never opened")
    if depth:
        raise QueryRefusedError("a bracket is never closed")


def _check_calls(tokens: Sequence[Token]) -> None:
    """Every name before a bracket is an allowed function, whatever a parser makes of it."""
    n_calls = 0
    for i, token in enumerate(tokens):
        following = tokens[i + 1] if i + 1 < len(tokens) else None
        opens = following is not None and following.is_operator("(")
        if token.is_word("like", "glob") and not opens:
            n_calls += 1
        if token.is_word("in") and not opens:
            raise QueryRefusedError("`IN` needs a bracketed list or subquery after it; `IN table` is refused")
        if not opens or token.kind not in ("word", "quoted", "string"):
            continue
        if token.kind == "word" and token.value in _BEFORE_BRACKET:
            continue
        if _names_cte_columns(tokens, i):
            continue
        n_calls += 1
        _check_function(token.value.lower(), _arguments(tokens, i + 1))
    if n_calls > MAX_CALLS:
        raise QueryRefusedError(f"{n_calls} function calls and LIKEs in one statement; at most {MAX_CALLS} are allowed")


def _closing(tokens: Sequence[Token], opening: int) -> int:
    depth = 0
    for i in range(opening, len(tokens)):
        depth += tokens[i].is_operator("(") - tokens[i].is_operator(")")
        if depth == 0:
            return i
    return len(tokens) - 1


def _names_cte_columns(tokens: Sequence[Token], i: int) -> bool:
    """Whether token `i` is the name in `WITH name(column, ...) AS (`, the one place where a bracket is no call."""
    if i == 0 or not (tokens[i - 1].is_word("with", "recursive") or tokens[i - 1].is_operator(",")):
        return False
    after = tokens[_closing(tokens, i + 1) + 1 :][:2]
    if len(after) < 2 or not after[0].is_word("as"):
        return False
    return after[1].is_operator("(") or after[1].is_word("not", "materialized")


def _arguments(tokens: Sequence[Token], opening: int) -> list[list[Token]]:
    """The tokens of each argument of the call whose bracket opens at `opening`."""
    inside = tokens[opening + 1 : _closing(tokens, opening)]
    arguments: list[list[Token]] = [[]] if inside else []
    depth = 0
    for token in inside:
        depth += token.is_operator("(") - token.is_operator(")")
        if depth == 0 and token.is_operator(","):
            arguments.append([])
        else:
            arguments[-1].append(token)
    return arguments


def _check_function(name: str, arguments: list[list[Token]]) -> None:
    if name == LIST_TABLE:
        if len(arguments) != 1 or len(arguments[0]) != 1 or arguments[0][0].kind not in ("parameter", "string"):
            raise QueryRefusedError(f"`{LIST_TABLE}` takes one parameter or one text in single quotes")
        return
    if name not in ALLOWED_FUNCTIONS:
        near = difflib.get_close_matches(name, ALLOWED_FUNCTIONS, n=2, cutoff=0.6)
        hint = f"; nearest allowed: {', '.join(near)}" if near else ""
        raise QueryRefusedError(
            f"function `{_short(name)}` is refused{hint}; allowed functions: {', '.join(sorted(ALLOWED_FUNCTIONS))}"
        )
    if name in _ONE_ARGUMENT and len(arguments) > 1:
        raise QueryRefusedError(f"`{name}` is allowed with one argument only")
    if name in ("printf", "format", "strftime"):
        _check_format(name, arguments)


def _check_format(name: str, arguments: list[list[Token]]) -> None:
    first = arguments[0] if arguments else []
    if len(first) != 1 or first[0].kind != "string":
        raise QueryRefusedError(f"the format of `{name}` must be a plain text in single quotes")
    if name != "strftime" and _SAFE_FORMAT.match(first[0].value) is None:
        raise QueryRefusedError(
            f"`{name}` takes %d, %i, %f, %g and %s with at most two digits of width and precision, "
            f"got '{_short(first[0].value)}'"
        )


def _parameters(tokens: Sequence[Token]) -> tuple[tuple[str, ...], int]:
    written = [token.text for token in tokens if token.kind == "parameter"]
    named = tuple(dict.fromkeys(text[1:] for text in written if text.startswith(":")))
    positional = [text for text in written if text.startswith("?")]
    if named and positional:
        raise QueryRefusedError("use either `?` or `:name` parameters, not both")
    if any(text != "?" for text in positional):
        raise QueryRefusedError("numbered parameters (`?1`) are refused; use `?` or `:name`")
    return named, len(positional)


def _parse(sql: str) -> exp.Expression:
    import sqlglot
    from sqlglot import exp

    try:
        statements = sqlglot.parse(sql, read="sqlite")
    except Exception as error:  # whatever trips the parser, the outcome is a refusal and never a way on
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise QueryRefusedError(f"the statement cannot be parsed: {first_line}") from error
    if len(statements) != 1 or statements[0] is None:
        raise QueryRefusedError(f"expected one statement, got {len(statements)}")
    if not isinstance(statements[0], exp.Select | exp.SetOperation):
        raise QueryRefusedError(f"only SELECT is allowed, got {type(statements[0]).__name__.upper()}")
    return statements[0]


def _check_tables(tree: exp.Expression) -> tuple[frozenset[str], frozenset[str]]:
    """Every table is a public view or a named subquery that cannot stand for anything else. Returns both sets."""
    from sqlglot import exp

    reads_of: dict[str, list[str]] = {}
    for cte in tree.find_all(exp.CTE):
        name = str(cte.alias).lower()
        _check_cte_name(name, taken=name in reads_of)
        reads_of[name] = [_table_name(table) for table in cte.this.find_all(exp.Table)]
    views: set[str] = set()
    main: list[str] = []
    for table in tree.find_all(exp.Table):
        name = _table_name(table)
        if name in VIEW_NAMES:
            views.add(name)
        elif name not in reads_of and name != LIST_TABLE:
            raise QueryRefusedError(_unknown_table(name))
        if table.find_ancestor(exp.CTE) is None:
            main.append(name)
    _check_reads(main, reads_of)
    return frozenset(views), frozenset(reads_of)


def _table_name(table: exp.Table) -> str:
    from sqlglot import exp

    if isinstance(table.this, exp.Anonymous) and table.this.name.lower() == LIST_TABLE:
        return LIST_TABLE
    if not isinstance(table.this, exp.Identifier) or table.name.lower() == LIST_TABLE:
        raise QueryRefusedError("table-valued functions are refused; read from " + _view_list())
    if table.args.get("db") or table.args.get("catalog"):
        raise QueryRefusedError(f"write `{table.name}` without a schema in front; read from " + _view_list())
    return str(table.name).lower()


def _check_cte_name(name: str, taken: bool) -> None:
    # The authoriser is told the name of the view, or of the named subquery, that a read goes through: a subquery that
    # borrowed a view's name would borrow its rights.
    if name in VIEW_NAMES:
        raise QueryRefusedError(f"the subquery name `{name}` is the name of a view; choose another")
    if not name or taken or name == LIST_TABLE or name.startswith(_FORBIDDEN_PREFIXES):
        raise QueryRefusedError(f"the subquery name `{_short(name)}` is refused; give each WITH a name of its own")


def _check_reads(main: Sequence[str], reads_of: dict[str, list[str]]) -> None:
    """Refuse recursion, and chains of subqueries that multiply: SQLite expands them all before it looks at the time."""
    costs: dict[str, int] = {}

    def cost(name: str, open_names: tuple[str, ...]) -> int:
        if name in open_names:
            raise QueryRefusedError(f"the subquery `{name}` reads itself; recursion is refused")
        if name not in reads_of:
            return 1
        if name not in costs:
            costs[name] = 1 + sum(cost(read, (*open_names, name)) for read in reads_of[name])
        return costs[name]

    for name in reads_of:
        cost(name, ())
    total = sum(cost(name, ()) for name in main)
    if total > MAX_TABLE_READS:
        raise QueryRefusedError(f"the statement reads {total} tables in all; at most {MAX_TABLE_READS} are allowed")


def _unknown_table(name: str) -> str:
    near = difflib.get_close_matches(name.removeprefix("base_"), VIEW_NAMES, n=1, cutoff=0.6)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"table `{_short(name)}` is refused{hint} Allowed: {_view_list()}"


def _view_list() -> str:
    return ", ".join(sorted(VIEW_NAMES))
