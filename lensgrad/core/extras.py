"""Optional packages, imported when first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NoReturn

from lensgrad.core.errors import MissingExtra


def extra(module: str, name: str, purpose: str) -> Any:
    """An optional module, or an error that says what to install."""
    try:
        return import_module(module)
    except ImportError as missing:
        raise MissingExtra(f"{purpose} needs the package {module.split('.')[0]}: pip install 'lensgrad[{name}]'") from missing


def stand_in(name: str, missing: MissingExtra) -> type:
    """A class for what needs an extra that is not installed: it can be named, listed and imported, and says what to install when called."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise MissingExtra(str(missing))

    return type(name, (), {"__doc__": str(missing), "__new__": refuse})
