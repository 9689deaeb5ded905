"""What a type checker says of the README's programs: no error, and no expression without a type."""

import ast
import re

import pytest
from checker import ROOT, messages, pyright, untyped

pytestmark = pytest.mark.skipif(pyright() is None, reason="pyright is not installed: pip install 'lensgrad[dev]'")


class Revealed(ast.NodeTransformer):
    """Every expression that is computed, inside reveal_type."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return reveal(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return reveal(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        return reveal(node)


def reveal(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("reveal_type"), [node], [])


def programs() -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S))


def test_every_expression_of_the_readme_has_a_type(tmp_path):
    text = ast.unparse(ast.fix_missing_locations(Revealed().visit(ast.parse(programs()))))
    found = messages(tmp_path, text)
    types = [m for _, kind, m in found if kind == "information"]
    assert len(types) > 60
    assert [m for m in types if untyped(m)] == []
    # The README composes on purpose what does not fit, and type checkers do not see sizes.
    assert [(line, m) for line, kind, m in found if kind == "error"] == []
