"""Bytes → a StableHLO module in MLIR's own form.

What is read: MLIR as text or bytecode, "portable artifacts" of StableHLO (the dialect VHLO, whose meaning
does not change from version to version), and XLA's HLO before optimization, as text or proto. Seen on jax
0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import re
from typing import Any

import jax
from jax._src.interpreters import mlir as _mlir
from jax._src.lib import _jax  # type: ignore[attr-defined]
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]
from jax._src.lib.mlir import passmanager as _passmanager  # type: ignore[attr-defined]

from jitinspect.errors import UnavailableError

try:
    from jaxlib import _hlo  # type: ignore[attr-defined]
except ImportError:  # up to 0.9
    _hlo = _jax

BYTECODE = b"ML\xefR"
_PRODUCER = re.compile(rb"ML\xefR.(StableHLO_v[\d.]+)", re.S)
_AT = re.compile(r'^"-":(\d+:\d+): ')
_OPENINGS = ("Unable to parse", "INVALID_ARGUMENT: Syntax error when trying to parse")
"""Of messages whose next line says more."""
_LONGEST = 160
"""Characters of what MLIR says."""


def mlir_module(content: bytes) -> Any:
    """MLIR as text or bytecode, or a portable artifact. Raises `ValueError` for what is none, and
    `UnavailableError` for an artifact of a later StableHLO than this JAX has.
    """
    if known := producer(content):
        return _of_artifact(content, known)
    with _mlir.make_ir_context():
        try:
            module: Any = ir.Module.parse(content if content.startswith(BYTECODE) else _text(content))
        except Exception as error:  # MLIRError, with all that the parser says
            raise ValueError(_first(str(error))) from None
        if b"loc(" not in content and not content.startswith(BYTECODE):
            _without_places(module)
    operations = list(module.body.operations)
    if operations and operations[0].operation.name.startswith("vhlo."):
        raise ValueError("it is in VHLO, as text; StableHLO, or VHLO as bytecode, can be read")
    return module


def _without_places(module: Any) -> None:
    """Those in the text, which MLIR notes where that has no locations."""
    _passmanager.PassManager.parse("builtin.module(strip-debuginfo)").run(module.operation)


def _of_artifact(content: bytes, version: str) -> Any:
    """`version` is the one that its writer asked for."""
    with _mlir.make_ir_context() as context:
        try:
            return _parsed(_jax.mlir.deserialize_portable_artifact(content))
        except TypeError:
            return _parsed(_jax.mlir.deserialize_portable_artifact(context, content))
        except Exception:  # JaxRuntimeError; what is wrong goes to stderr
            pass
    if _version(version) > _version(_own_version()):
        raise UnavailableError(
            f"it was written as {version}, this JAX ({jax.__version__}) reads up to {_own_version()}",
            hint="a newer JAX reads it",
        )
    raise ValueError(
        f"its module is damaged, or has what this JAX ({jax.__version__}) does not know ({version})"
    )


def _parsed(module: Any) -> Any:
    """jaxlib 0.8 and 0.9 give the text of the module."""
    return ir.Module.parse(module) if isinstance(module, str | bytes) else module


def _own_version() -> str:
    from jax._src.lib.mlir.dialects import hlo  # type: ignore[attr-defined]

    return f"StableHLO_v{hlo.get_current_version()}"


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


def producer(content: bytes) -> str:
    """What wrote bytecode, as it says itself: `StableHLO_v1.15.0`; "" if it does not."""
    found = _PRODUCER.match(content)
    return found[1].decode() if found else ""


def hlo_text_module(content: bytes) -> Any:
    """HLO before optimization, as text. Raises `ValueError` for what XLA does not parse."""
    try:
        return hlo_proto_module(_hlo.hlo_module_from_text(_text(content)).as_serialized_hlo_module_proto())
    except ValueError:
        raise
    except Exception as error:  # JaxRuntimeError
        raise ValueError(_first(str(error))) from None


def hlo_proto_module(proto: bytes) -> Any:
    """The same as an `HloModuleProto`."""
    with _mlir.make_ir_context():
        try:
            return ir.Module.parse(_jax.mlir.hlo_to_stablehlo(proto))
        except Exception as error:  # JaxRuntimeError, MLIRError
            raise ValueError(_first(str(error))) from None


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is no text") from None


def _first(message: str) -> str:
    """What is wrong, and where, in one line: `line 3:12: use of undeclared SSA value name`."""
    lines = [line.removeprefix("error:").strip() for line in message.strip().splitlines()]
    told = next((line for line in lines if line and not line.startswith(_OPENINGS)), "it is damaged")
    told = _AT.sub(lambda found: f"line {found[1]}: ", told)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"
