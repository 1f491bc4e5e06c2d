"""The argument grammar: text ⇄ specs. Python expression syntax, read with `ast`, never evaluated.

Text enters (from the command line or a call script), frozen specs leave, and the other way round. Nothing
here knows about JAX. May import: `errors`.
"""

from jitinspect.specs.dtypes import long_dtype, short_dtype
from jitinspect.specs.parse import format_spec, parse_argument, parse_call, parse_spec
from jitinspect.specs.shorthand import parse_dims, parse_dtype, parse_mesh, parse_shape
from jitinspect.specs.spec_types import (
    Argument,
    ArraySpec,
    CallSpec,
    Device,
    DictSpec,
    KeySpec,
    ListSpec,
    Placement,
    ScriptCall,
    Sharding,
    Spec,
    TupleSpec,
    ValueSpec,
    bind,
    bind_call,
    free_dims,
    leaves,
)

__all__ = [
    "Argument",
    "ArraySpec",
    "CallSpec",
    "Device",
    "DictSpec",
    "KeySpec",
    "ListSpec",
    "Placement",
    "ScriptCall",
    "Sharding",
    "Spec",
    "TupleSpec",
    "ValueSpec",
    "bind",
    "bind_call",
    "format_spec",
    "free_dims",
    "leaves",
    "long_dtype",
    "parse_argument",
    "parse_call",
    "parse_dims",
    "parse_dtype",
    "parse_mesh",
    "parse_shape",
    "parse_spec",
    "short_dtype",
]
