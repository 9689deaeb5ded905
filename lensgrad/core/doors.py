"""Doors of packages: names whose modules are imported when somebody first asks for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from typing import Any

from lensgrad.core.checks import nearest
from lensgrad.core.errors import MissingExtra, NoAttribute
from lensgrad.core.extras import stand_in


def door(package: str, later: Mapping[str, Sequence[str]], public: Collection[str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package; `later` says which names are in a module of it that is imported for them.

    No such module may be called as something else that the package offers: an imported module is an attribute of its package.
    """
    home = {name: module for module, names in later.items() for name in names}

    def find(name: str) -> Any:
        if name not in home:
            raise NoAttribute(f"module '{package}' has no attribute '{name}'{nearest(name, public)}")
        try:
            module = import_module(f"{package}.{home[name]}")
        except MissingExtra as missing:
            return stand_in(name, missing)
        return getattr(module, name, module)  # a module that is offered itself

    return find, lambda: sorted({*vars(sys.modules[package]), *public})
