"""fakesnow's transforms of a syntax tree, each applied to the kinds of nodes that it changes.

fakesnow passes over the whole tree about sixty times for each statement, which is most of its time
for a wide table. Here a few passes do: each visits children before parents and hands a node to the
transforms that know its type. Transforms that would disturb each other are in different passes.
"""

from __future__ import annotations

from collections.abc import Callable

from fakesnow import transforms
from sqlglot import exp

Transform = Callable[[exp.Expression], exp.Expression]
Rules = dict[type[exp.Expression], list[Transform]]

_CASTS: tuple[type[exp.Expression], ...] = (exp.Cast, exp.TryCast)


def _rules(*rules: tuple[tuple[type[exp.Expression], ...], Transform]) -> Rules:
    found: Rules = {}
    for types, transform in rules:
        for type_ in types:
            found.setdefault(type_, []).append(transform)
    return found


def _trim(node: exp.Expression) -> exp.Expression:
    """fakesnow drops the characters of TRIM(text, characters)."""
    return node if node.args.get("expression") else transforms.trim_cast_varchar(node)


# The argument of SUM and AVG stays what it is: fakesnow's numeric_agg_implicit_cast, which makes
# every decimal a double, is left out.
_PASSES: list[Rules] = [
    _rules(
        ((exp.CurrentVersion,), transforms.current_version),
        ((exp.Table,), transforms.information_schema_fs),
        ((exp.DataType,), transforms.semi_structured_types),
        ((exp.Anonymous,), transforms.try_parse_json),
        ((exp.Split,), transforms.split),
        ((exp.Trim,), _trim),
        ((exp.Bracket,), transforms.indices_to_json_extract),
    ),
    _rules(
        (_CASTS, transforms.json_extract_cast_as_varchar),
        ((exp.Upper, exp.Lower), transforms.json_extract_cased_as_varchar),
    ),
    _rules(((exp.JSONExtract, exp.JSONExtractScalar), transforms.json_extract_precedence)),
    _rules((_CASTS, transforms.flatten_value_cast_as_varchar)),
    _rules(
        ((exp.Lateral, exp.TableFromRows), transforms.flatten),
        ((exp.RegexpReplace,), transforms.regex_replace),
        ((exp.RegexpExtract,), transforms.regex_substr),
        ((exp.Column,), transforms.sequence_nextval),
        ((exp.Values,), transforms.values_columns),
        ((exp.Anonymous,), transforms.to_date),
        (_CASTS, transforms.timestamp_offsets),
        ((exp.ToNumber,), transforms.to_decimal),
        # Not for TryCast, whose result would then be an error in place of a null.
        ((exp.Anonymous, exp.Cast, exp.UnixToTime), transforms.to_timestamp),
        ((exp.ToVariant,), transforms.to_variant),
        ((exp.Struct, exp.StarMap, exp.JSONObject), transforms.object_construct),
    ),
    _rules(
        ((exp.DataType,), transforms.timestamp_ntz),
        ((exp.DataType,), transforms.float_to_double),
        ((exp.DataType,), transforms.integer_precision),
        ((exp.TableSample,), transforms.sample),
        ((exp.ArraySize,), transforms.array_size),
        ((exp.Select,), transforms.random),
        ((exp.WithinGroup,), transforms.array_agg_within_group),
    ),
    _rules(
        ((exp.ArrayAgg, exp.Window), transforms.array_agg),
        ((exp.ObjectAgg,), transforms.object_agg),
        ((exp.ArrayConstructCompact, exp.Array, exp.ArrayConcat), transforms.array_construct_etc),
        ((exp.DateAdd,), transforms.dateadd_date_cast),
        ((exp.DateAdd,), transforms.dateadd_string_literal_timestamp_cast),
        ((exp.DateDiff,), transforms.datediff_string_literal_timestamp_cast),
        ((exp.Anonymous,), transforms.haversine),
        ((exp.HexString,), transforms.hex_string),
        ((exp.SHA2, exp.SHA2Digest, exp.Anonymous), transforms.sha256),
    ),
    _rules(
        ((exp.Select,), transforms.alias_in_join),
        ((exp.Select,), transforms.alias_in_where),
    ),
]


def translate(tree: exp.Expression) -> exp.Expression:
    """The tree as DuckDB's dialect can write it. The tree that is given is used up."""
    for rules in _PASSES:
        tree = apply(tree, rules)
    return tree


def apply(tree: exp.Expression, rules: Rules) -> exp.Expression:
    """Apply transforms to the nodes of the types they are for, children first."""
    nodes = [node for node in tree.dfs() if type(node) in rules]
    for node in reversed(nodes):
        # A transform may put the node into another one, so remember where it was.
        parent, key, index = node.parent, node.arg_key, node.index
        new = node
        for transform in rules[type(node)]:
            new = transform(new)
        if new is node:
            continue
        if parent is None:
            tree = new
            new.parent = None
        else:
            parent.set(key, new, index)
    return tree


def upper_case(tree: exp.Expression) -> None:
    """Put unquoted names in upper case, in place.

    https://docs.snowflake.com/en/sql-reference/identifiers-syntax
    """
    for node in tree.find_all(exp.Identifier):
        if not node.quoted and isinstance(node.this, str):
            node.set("this", node.this.upper())
