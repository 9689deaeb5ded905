"""Which nodes of an arrow are drawn as one box: the loss of a learner, the noise that it draws, and parts whose parameters have one scope.

A group is never one that something outside both reads and feeds, since a picture of it would have to go in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from lensgrad.cat.names import Role
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.draw.labels import shared
from lensgrad.draw.net import Groups

T = TypeVar("T")
LOSS, NOISE, BEFORE = "loss", "noise", "before"


class Order:
    """What each node of an arrow reads, directly and through others."""

    def __init__(self, f: Diagram) -> None:
        self.nodes, wire = f.nodes, len(f.dom)
        maker = dict[int, int]()
        self.starts = list[int]()
        for k, node in enumerate(f.nodes):
            self.starts.append(wire)
            maker.update(dict.fromkeys(range(wire, wire + len(node.cod)), k))
            wire += len(node.cod)
        self.before = [{maker[a] for a in node.args if a in maker} for node in f.nodes]
        self.above = list[set[int]]()
        for direct in self.before:
            self.above.append(direct.union(*(self.above[k] for k in direct)))

    def ancestors(self, nodes: set[int]) -> set[int]:
        """All that some nodes read, and that they do not have among them."""
        return set[int]().union(*(self.above[k] for k in nodes)) - nodes

    def between(self, nodes: set[int]) -> set[int]:
        """The nodes on ways from one of some nodes to another, with these: nodes stand behind what they read."""
        inner = range(min(nodes, default=0) + 1, max(nodes, default=0))
        read = set[int]().union(*(self.above[n] for n in nodes)) if len(nodes) > 1 else set[int]()
        return nodes | {k for k in inner if k in read and not self.above[k].isdisjoint(nodes)}

    def absorbed(self, nodes: set[int]) -> set[int]:
        """Some nodes with the constants that only they read."""
        found = set(nodes)
        for k in reversed(range(len(self.nodes))):
            readers = {j for j, direct in enumerate(self.before) if k in direct}
            if readers and readers <= found and self.still(k):
                found.add(k)
        return found

    def still(self, k: int) -> bool:
        """Whether a node depends on no input."""
        return all(len(self.nodes[j].args) == len(self.before[j]) for j in {k, *self.above[k]})

    def parts(self, nodes: set[int]) -> list[set[int]]:
        """Some nodes in groups that hang together."""
        found = list[set[int]]()
        for k in sorted(nodes):
            near = [p for p in found if p & self.before[k]]
            found = [p for p in found if p not in near] + [{k}.union(*near)]
        return found


def of_learner(model: Para, task: Para, f: Diagram) -> Groups:
    """The groups of a task: scopes first, then what is behind its model, the loss, and what is before it."""
    if f != task.arrow:
        return {}
    inside, order = found_in(model, task), Order(f)
    groups = dict(of_scopes(task, f))
    if inside is None or not inside:
        return groups
    before = order.ancestors(inside | groups.keys())
    free = [k for k in range(len(f.nodes)) if k not in inside and k not in groups]
    behind, ahead = [k for k in free if k not in before], [k for k in free if k in order.ancestors(inside)]
    roles = owners(task, [p.role for p in task.params])
    drawn = all(roles.get(a, Role.KEY) is Role.KEY for k in ahead for a in f.nodes[k].args)
    for members, name in ((behind, LOSS), (ahead, NOISE if drawn else BEFORE)):
        if len(members) > 1 and convex(order, set(members)):
            groups |= dict.fromkeys(members, (name, 0))
    return groups


def of_scopes(f: Para, arrow: Diagram) -> Groups:
    """Nodes that read parameters of one scope, as `encoder/…`, and what is between them, where there are several.

    What is made of parameters alone, as a reshaped kernel is, has their scope. Where parts of one scope have those of others between
    them, as shortcuts far apart do, each of them stands alone.
    """
    if len(f.arrow.dom) != len(arrow.dom):
        return {}
    order, each, names = Order(arrow), owners(f, f.names), owners(f, scoped(f.names))
    scopes: dict[str, set[int]] = {}
    for k, node in enumerate(arrow.nodes):
        read = {names[a] for a in node.args if names.get(a)}
        if len(read) == 1:
            scopes.setdefault(scope := read.pop(), set()).add(k)
            if all(map(names.get, node.args)):
                names |= dict.fromkeys(range(order.starts[k], order.starts[k] + len(node.cod)), scope)
    found = dict[int, tuple[str, int]]()
    for scope, nodes in scopes.items():
        others = {k for k, node in enumerate(arrow.nodes) if any(names.get(a, "") not in ("", scope) for a in node.args)}
        far = [q for p in order.parts(order.between(nodes)) for q in (order.parts(p & nodes) if p & others else [p])]
        parts = [order.between(p) for p in far]
        whole = [p for p in parts if len(p) > 1 and not p & (found.keys() | others) and convex(order, p)]
        for i, (members, title) in enumerate(
            zip(whole, titles(scope, [[each[a] for k in p for a in arrow.nodes[k].args if a in each] for p in whole]), strict=True)
        ):
            found |= dict.fromkeys(sorted(order.absorbed(members)), (title, i))
    return found


def titles(scope: str, names: Sequence[Sequence[str]]) -> list[str]:
    """What the parts of a scope are called: all like it where there is one, else with the level below that its parameters share."""
    inner = [shared(each).split("/") if each and len(names) > 1 else [] for each in names]
    found = [" ".join([scope, *levels[levels.index(scope) + 1 :][:1]]) if scope in levels else scope for levels in inner]
    return found if len(set(found)) == len(found) else [scope] * len(found)


def scoped(names: Sequence[str]) -> list[str]:
    """The scope of each parameter, or an empty text: the outermost of which there are several, since what all share says nothing."""
    paths = [(name.split("/") if "/" in name else dotted(name))[:-1] for name in names]
    deepest = max(map(len, paths), default=0)
    depth = next((d for d in range(deepest) if len({*(p[d] for p in paths if len(p) > d)}) > 1), 0)
    return [p[depth] if len(p) > depth else "" for p in paths]


def dotted(name: str) -> list[str]:
    """The path of a name as PyTorch writes it; `weight.0` is the first of several weights, and no path."""
    path = name.split(".")
    return [name] if path[-1].isdigit() else path


def convex(order: Order, nodes: set[int]) -> bool:
    """Whether nothing outside both reads some nodes and is read by one of them."""
    return order.between(nodes) == nodes


def owners(f: Para, each: Sequence[T]) -> dict[int, T]:
    """What is said of each parameter, by its wires."""
    return dict(enumerate(x for x, p in zip(each, f.params, strict=True) for _ in p.ob))


def found_in(model: Para, task: Para) -> set[int] | None:
    """The numbers of the nodes of a task that are those of its model; None where they are not found."""
    whole = task.arrow
    place = {n: w for w, n in owners(task, task.names).items()}
    env: list[int | None] = [*(place.get(n) for n in owners(model, model.names).values()), *[None] * len(model.dom)]
    starts, found = Order(whole).starts, set[int]()
    for node in model.arrow.nodes:
        k = next((k for k, n in enumerate(whole.nodes) if k not in found and n.op == node.op and fits(node.args, n.args, env)), None)
        if k is None:
            return None
        for a, b in zip(node.args, whole.nodes[k].args, strict=True):
            env[a] = b
        found.add(k)
        env += range(starts[k], starts[k] + len(node.cod))
    return found


def fits(args: Sequence[int], others: Sequence[int], env: Sequence[int | None]) -> bool:
    """Whether a node takes the wires that it should."""
    return len(args) == len(others) and all(env[a] in (None, b) for a, b in zip(args, others, strict=True))
