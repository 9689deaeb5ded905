"""Laws of loops: what is the same at each step stands before the loop, and what nobody reads is not computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import Graph, Node
from lensgrad.core.ty import Ty
from lensgrad.program.rewrites.effort import again
from lensgrad.program.rewrites.site import Site
from lensgrad.theories.smooth.linear import Spread
from lensgrad.theories.smooth.scan import Scan
from lensgrad.theories.smooth.shape import Full

Simplify = Callable[[Diagram], Diagram]


def looped(site: Site, op: Scan, args: tuple[int, ...], read: Sequence[bool], simplify: Simplify) -> Sequence[int]:
    """The outputs of a loop, of which those in `read` are wanted, by a loop that does no more than that."""
    body = simplify(inside(site, op, args))
    op, args = hoisted(site, op.replace(body=body), args)
    return placed(site, op, args, needed(op, read))


def inside(site: Site, op: Scan, args: tuple[int, ...]) -> Diagram:
    """scan(b)(c₀, s, x) for a constant s or x = scan(b with the constant in it)(c₀, s, x), which does not read s or x any more."""
    body, graph = op.body, Graph(op.body.dom)
    env = list(range(len(body.dom)))
    for i in range(op.carries, len(args)):
        value = site.value(args[i])
        if value is not None:
            env[i] = graph.apply(Full(value, body.dom[i]), ())[0]
    return body if env == list(range(len(env))) else Diagram.finish(graph, graph.inline(body.nodes, body.outs, env))


def hoisted(site: Site, op: Scan, args: tuple[int, ...]) -> tuple[Scan, tuple[int, ...]]:
    """scan(b ∘ f)(c₀, s, x) = scan(b)(c₀, (s, f(s)), x), for f of shared inputs alone, where f is more than moving and arithmetic."""
    body, held = op.body, op.carries + op.shared
    still = steady(body, range(op.carries, held))
    moved = [w for w, node in still.items() if node is not None and w in edges(body, still) and costly(body, still, w)]
    if not moved:
        return op, args
    outer: dict[int, int] = {i: args[i] for i in range(op.carries, held)}
    for node, start in calls(body):
        if start in still:
            outer |= dict(enumerate(site.apply(node.op, *(outer[a] for a in node.args)), start))
    return with_shared(op, moved), (*args[:held], *(outer[w] for w in moved), *args[held:])


def steady(body: Diagram, shared: Iterable[int]) -> dict[int, Node | None]:
    """The wires that are the same at each step, with the nodes that make them."""
    found: dict[int, Node | None] = dict.fromkeys(shared)
    for node, start in calls(body):
        if all(a in found for a in node.args):
            found |= dict.fromkeys(range(start, start + len(node.cod)), node)
    return found


def edges(body: Diagram, still: dict[int, Node | None]) -> set[int]:
    """The wires that are read by what differs from step to step. A spread is made where it is read."""
    outside = [a for node, start in calls(body) if start not in still for a in node.args]
    return {unspread(still, w) for w in (*outside, *body.outs) if w in still}


def unspread(still: dict[int, Node | None], wire: int) -> int:
    node = still[wire]
    while node is not None and isinstance(node.op, Spread):
        wire = node.args[0]
        node = still[wire]
    return wire


def costly(body: Diagram, still: dict[int, Node | None], wire: int) -> bool:
    """Whether something below a wire is worth computing once."""
    types = [*body.dom, *(a for node in body.nodes for a in node.cod)]
    waiting = [wire]
    while waiting:
        node = still[waiting.pop()]
        if node is not None:
            if again(node, [types[a] for a in node.args]):
                return True
            waiting += node.args
    return False


def with_shared(op: Scan, wires: Sequence[int]) -> Scan:
    """The loop whose body is given these of its wires as further shared inputs."""
    body, held = op.body, op.carries + op.shared
    types = [*body.dom, *(a for node in body.nodes for a in node.cod)]
    new = [types[w] for w in wires]
    graph = Graph(Ty((*body.dom.atoms[:held], *new, *body.dom.atoms[held:])))
    env = [i if i < held else i + len(new) for i in range(len(body.dom))]
    given = {w: held + k for k, w in enumerate(wires)}
    for node, start in calls(body):
        outs = graph.apply(node.op, tuple(env[a] for a in node.args), node.cod, node.origin)
        env.extend(given.get(start + k, w) for k, w in enumerate(outs))
    return op.replace(body=Diagram.finish(graph, [env[o] for o in body.outs]), shared=op.shared + len(new))


def needed(op: Scan, read: Sequence[bool]) -> set[int]:
    """The outputs of the body that something reads: the program around the loop, or the next step for one of them."""
    body, c, y = op.body, op.carries, len(op.body.cod) - op.carries
    found = {k for k in range(c) if read[k] or read[c + y + k]} | {c + j for j in range(y) if read[c + j]}
    while True:
        more = {k for k in below(body, [body.outs[o] for o in found]) if k < c} | found
        if more == found:
            return found
        found = more


def below(f: Diagram, wires: Iterable[int]) -> set[int]:
    """These wires and all that they are computed from."""
    found = set(wires)
    for node, start in reversed([*calls(f)]):
        if any(start + k in found for k in range(len(node.cod))):
            found.update(node.args)
    return found


def calls(f: Diagram) -> Iterator[tuple[Node, int]]:
    """Each node, and its first output."""
    wire = len(f.dom)
    for node in f.nodes:
        yield node, wire
        wire += len(node.cod)


def placed(site: Site, op: Scan, args: tuple[int, ...], outs: set[int]) -> Sequence[int]:
    """scan(b)(c₀, s, x) without carries, inputs and outputs that nothing reads, and equal outputs once.

    An output that is an input of each step is the stack of those inputs; the place of an output that nobody reads is any wire.
    """
    body, c, held = op.body, op.carries, op.carries + op.shared
    used = below(body, [body.outs[o] for o in outs])
    alikes = {i: x for i in range(held, len(args)) if i in used and (x := alike(site, args[i])) is not None}
    carries = [k for k in range(c) if k in outs]
    shared = {i: args[i] for i in range(c, held) if i in used} | alikes
    rows = {i: args[i] for i in range(held, len(args)) if i in used and i not in alikes}
    given = list(dict.fromkeys(w for o in sorted(outs) if o >= c and (w := body.outs[o]) >= c and w not in rows))
    loop = op.replace(
        body=rewired(body, [*carries, *shared, *rows], [*(body.outs[k] for k in carries), *given]),
        carries=len(carries),
        shared=len(shared),
    )
    values = (*(args[k] for k in carries), *shared.values(), *rows.values())
    done = site.graph.apply(loop, values) if carries or given else range(0)
    starts = dict(zip(carries, done[len(carries) + len(given) :], strict=True))
    stack = dict(zip(given, done[len(carries) :], strict=False)) | rows | starts
    last = dict(zip(carries, done, strict=False))
    return [*(last.get(k, 0) for k in range(c)), *(stack.get(w, 0) for w in body.outs[c:]), *(starts.get(k, 0) for k in range(c))]


def alike(site: Site, wire: int) -> int | None:
    """What is spread over the steps, as one step reads it; nothing where rows differ."""
    found = site.made(wire, Spread)
    if found is None or 0 in found[0].axes:
        return None
    wide, (x,) = found
    return site.one(Spread(wide.shape[1:], tuple(a - 1 for a in wide.axes)), x)


def rewired(body: Diagram, inputs: Sequence[int], outs: Sequence[int]) -> Diagram:
    """The body of these inputs and these wires as outputs; what reads other inputs is left out."""
    graph = Graph(Ty(tuple(body.dom[i] for i in inputs)))
    env: dict[int, int] = {i: k for k, i in enumerate(inputs)}
    wanted = below(body, outs)
    for node, start in calls(body):
        if any(start + k in wanted for k in range(len(node.cod))):
            env |= dict(enumerate(graph.apply(node.op, tuple(env[a] for a in node.args), node.cod, node.origin), start))
    return Diagram.finish(graph, [env[o] for o in outs])


__all__ = ["hoisted", "inside", "looped", "placed"]
