"""Components, and their way to and from text and JSON."""

from unweave.spec.component import Component, build, member, members, number, option, value_text
from unweave.spec.form import from_dict, identity, to_dict
from unweave.spec.hints import field_hints
from unweave.spec.text import parse, parse_sum, parse_tuple

__all__ = [
    "Component",
    "build",
    "field_hints",
    "from_dict",
    "identity",
    "member",
    "members",
    "number",
    "option",
    "parse",
    "parse_sum",
    "parse_tuple",
    "to_dict",
    "value_text",
]
