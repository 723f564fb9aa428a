"""Rules that read the words of the text itself.

A parser may turn a function of another engine into a node that Snowflake has too (`arg_max` becomes
MAX_BY), and then the tree says nothing: these rules read the tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

from sqlglot.tokens import Token, TokenType

from .problem import Problem, docs
from .reference import (
    FUNCTIONS_PAGE,
    INTERVAL_PAGE,
    OPERATORS_PAGE,
    ORDER_PAGE,
    QUERY_PAGE,
    TYPES,
    TYPES_PAGE,
    functions,
)
from .statement import Statement, is_word

# Words that may stand before a bracket without being called.
NOT_CALLED = {
    "ALL", "AND", "ANY", "AS", "BETWEEN", "BY", "CHECK", "CLUSTER", "COLUMNS", "CUBE", "DISTINCT",
    "ELSE", "EXCEPT", "EXCLUDE", "EXISTS", "FROM", "GROUP", "HAVING", "IN", "INTERSECT", "IS",
    "JOIN", "KEY", "LATERAL", "LIKE", "ILIKE", "LIMIT", "MATCHED", "MATCH_CONDITION", "MINUS",
    "NOT", "ON", "OR", "ORDER", "OVER", "PIVOT", "QUALIFY", "REFERENCES", "RENAME", "RETURNS",
    "ROLLUP", "SELECT", "SET", "SETS", "SOME", "TABLE", "THEN", "UNION", "UNIQUE", "UNPIVOT",
    "USING", "VALUES", "WHEN", "WHERE", "WITH",
}  # fmt: skip
# In no page: snowflake-ml-python asks this of its own accord.
OF_THE_CLIENT = {"SYSTEM$ML_PLATFORM_CAPABILITIES"}
AFTER_A_BARE_NAME = {"COMMENT", "WITH", "MASKING", "TAG", "NOT"}
# Signs that sqlglot reads in this dialect and Snowflake does not have.
FOREIGN_SIGNS = {
    TokenType.CARET: "use power(a, b) or bitxor(a, b)",
    TokenType.AMP: "use bitand(a, b)",
    TokenType.PIPE: "use bitor(a, b)",
    TokenType.TILDE: "use bitnot(a) or regexp_like(a, b)",
    TokenType.DIV: "use floor(a / b)",
}


def check_words(statement: Statement, made_functions: Collection[str]) -> Iterator[Problem]:
    """Functions, types, intervals and signs that Snowflake does not have."""
    if statement.routine:
        return
    tokens = statement.tokens
    yield from _check_functions(statement, tokens, made_functions)
    for token in _type_tokens(tokens):
        if token.text.upper() not in TYPES:
            yield statement.problem(
                "type",
                statement.line_at(token.start),
                f"`{token.text}` is no data type of Snowflake's",
                TYPES_PAGE,
            )
    yield from _check_signs(statement, tokens)


def _check_functions(
    statement: Statement, tokens: list[Token], made_functions: Collection[str]
) -> Iterator[Problem]:
    for position, (token, following) in enumerate(pairwise(tokens)):
        if following.token_type != TokenType.L_PAREN or not is_word(token):
            continue
        name = token.text.upper()
        before = tokens[position - 1].token_type if position else None
        qualified = name
        if before == TokenType.DOT:
            qualified = _dotted(tokens, position)
        elif name in NOT_CALLED or (name in TYPES and _names_a_type(tokens, position)):
            continue
        if token.start in statement.named or _is_named(tokens, position):
            continue
        if qualified in functions() or qualified in made_functions or name in OF_THE_CLIENT:
            continue
        if qualified != name and name in functions() and "INFORMATION_SCHEMA" in qualified:
            continue
        yield statement.problem(
            "function",
            statement.line_at(token.start),
            f"`{token.text}` is no function of Snowflake's",
            FUNCTIONS_PAGE,
        )


def _dotted(tokens: list[Token], position: int) -> str:
    parts = [tokens[position].text.upper()]
    while position >= 2 and tokens[position - 1].token_type == TokenType.DOT:
        position -= 2
        parts.insert(0, tokens[position].text.upper())
    return ".".join(parts)


def _is_named(tokens: list[Token], position: int) -> bool:
    """Whether a name before a bracket is the table or alias whose columns follow."""
    while position >= 2 and tokens[position - 1].token_type == TokenType.DOT:
        position -= 2
    before = tokens[position - 1].text.upper() if position else ""
    return before in ("INTO", "TABLE", "VIEW", "OVERWRITE", "EXISTS", "WITH", "RECURSIVE", "TAG")


def _names_a_type(tokens: list[Token], position: int) -> bool:
    before = tokens[position - 1]
    return (
        before.token_type == TokenType.DCOLON
        or before.text.upper() in ("AS", "RETURNS", "TYPE")
        or is_word(before)
        or before.token_type == TokenType.IDENTIFIER
    ) and before.text.upper() not in (
        "SELECT",
        "BY",
        "THEN",
        "ELSE",
        "WHEN",
        "AND",
        "OR",
        "WHERE",
        "ON",
    )


def _type_tokens(tokens: list[Token]) -> Iterator[Token]:
    """The first word of each type: after `::`, in casts, and in lists of column definitions."""
    casts: list[int] = []
    depth = 0
    for position, token in enumerate(tokens):
        before = tokens[position - 1] if position else None
        if token.token_type == TokenType.L_PAREN:
            depth += 1
            if before and before.text.upper() in ("CAST", "TRY_CAST"):
                casts.append(depth)
        elif token.token_type == TokenType.R_PAREN:
            if casts and casts[-1] == depth:
                casts.pop()
            depth -= 1
        elif before and (
            before.token_type == TokenType.DCOLON
            or (casts and casts[-1] == depth and before.text.upper() == "AS")
        ):
            yield token
    yield from _definition_types(tokens)


def _definition_types(tokens: list[Token]) -> Iterator[Token]:
    texts = [token.text.upper() for token in tokens]
    for start in _definition_lists(texts):
        depth, is_first = 0, False
        for position in range(start, len(tokens)):
            token = tokens[position]
            if token.token_type == TokenType.L_PAREN:
                depth += 1
                is_first = depth == 1
            elif token.token_type == TokenType.R_PAREN:
                depth -= 1
                if depth == 0:
                    break
            elif token.token_type == TokenType.COMMA:
                is_first = depth == 1
            elif is_first and depth == 1:
                is_first = False
                following = tokens[position + 1] if position + 1 < len(tokens) else None
                is_constraint = token.text.upper() in (
                    "CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK",
                )  # fmt: skip
                # A list of bare names (`create view v (a, b)`) has no types.
                is_type = following and is_word(following) and not is_constraint
                if following and is_type and following.text.upper() not in AFTER_A_BARE_NAME:
                    yield following
    for position in range(len(texts) - 3):
        if texts[position] == "ADD" and texts[position + 1] == "COLUMN":
            after = position + 5 if texts[position + 2] == "IF" else position + 2
            if after + 1 < len(tokens):
                yield tokens[after + 1]


def _definition_lists(texts: list[str]) -> Iterator[int]:
    """Positions of the bracket that opens the columns of a CREATE TABLE or VIEW."""
    for position, text in enumerate(texts):
        if text in ("TABLE", "VIEW") and "CREATE" in texts[max(0, position - 6) : position]:
            for later in range(position + 1, len(texts)):
                if texts[later] == "(":
                    yield later
                    break
                if texts[later] in ("AS", "SELECT", ";"):
                    break


def _check_signs(statement: Statement, tokens: list[Token]) -> Iterator[Problem]:
    for position, token in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        line = statement.line_at(token.start)
        if token.token_type == TokenType.INTERVAL and _is_bare_interval(tokens, position):
            yield statement.problem(
                "interval",
                line,
                "an interval's value must be quoted: interval '1 day'",
                INTERVAL_PAGE,
            )
        elif token.token_type in FOREIGN_SIGNS:
            yield statement.problem(
                "operator",
                line,
                f"Snowflake has no operator `{token.text}`: {FOREIGN_SIGNS[token.token_type]}",
                OPERATORS_PAGE,
            )
        elif token.token_type == TokenType.EQ and token.text == "==":
            yield statement.problem(
                "operator",
                line,
                "Snowflake has no operator `==`: write =",
                docs("sql-reference/operators-comparison"),
            )
        elif token.token_type == TokenType.DESC and _is_direction(tokens, position):
            if not following or following.text.upper() != "NULLS":
                yield statement.problem(
                    "null_order",
                    line,
                    "`desc` puts nulls first on Snowflake, last on DuckDB: say nulls first or last",
                    ORDER_PAGE,
                )
        elif (
            token.token_type == TokenType.FROM
            and (
                position == 0
                or tokens[position - 1].token_type in (TokenType.L_PAREN, TokenType.SEMICOLON)
            )
            and not (position >= 2 and is_word(tokens[position - 2]))
        ):
            yield statement.problem(
                "from_first", line, "a query must begin with select, not with from", QUERY_PAGE
            )
    for line in statement.slash_comments:
        yield statement.problem(
            "operator",
            line,
            "`//` begins a comment on Snowflake; divide with floor(a / b)",
            OPERATORS_PAGE,
        )


def _is_bare_interval(tokens: list[Token], position: int) -> bool:
    """Whether `interval` is followed by a number or an expression: not by a text, nor as a type."""
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    is_type = position > 0 and (
        tokens[position - 1].token_type == TokenType.DCOLON
        or tokens[position - 1].text.upper() == "AS"
    )
    return not is_type and following is not None and following.token_type != TokenType.STRING


def _is_direction(tokens: list[Token], position: int) -> bool:
    """Whether `desc` says an order: as the first word it is short for describe."""
    return position > 0 and tokens[position - 1].token_type != TokenType.SEMICOLON
