"""What is no circuit, no rows, no names and no file is refused in a sentence that says what was given and what to give."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import circuits as c
from lensgrad.core.errors import BadValue, MissingData, TypeMismatch, WireError
from lensgrad.theories.poly.semiring import Z

ADDER = c.from_tables([6, 8], 2)  # i0, i1 → their sum and carry
ASKED = c.Question(ADDER, ADDER)
ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8)
OF_GATES = "must be a circuit of gates, as circuits.read and circuits.from_tables give, got 3"
OF_Z = "a model over Z, as circuits.lut_network and anf(…, semiring=Z) give, and this one has a wire of type"


def problem(**changed):
    return c.Problem(**{"x": ROWS, "y": [0, 1, 1, 0], "inputs": ("a", "b"), "outputs": ("y",), "classes": 2, **changed})


CIRCUITS = {
    "simplify": (c.simplify, "the circuit to simplify"),
    "rule": (c.rule, "what a rule tells"),
    "plain_names": (c.plain_names, "what gets plain names"),
    "to_diagram": (c.to_diagram, "what becomes an arrow"),
    "blif": (c.blif, "the circuit to write"),
    "verilog": (c.verilog, "the circuit to write"),
    "c_source": (c.c_source, "the circuit to write"),
    "ascii_aiger": (c.ascii_aiger, "the circuit to write"),
    "binary_aiger": (c.binary_aiger, "the circuit to write"),
    "testbench": (lambda x: c.testbench(x, ROWS), "the circuit to test"),
    "write": (lambda x: c.write(x, "no.blif"), "the circuit to write"),
    "chained": (lambda x: c.chained(ADDER, x), "the second circuit"),
    "side_by_side": (lambda x: c.side_by_side([ADDER, x]), "each part"),
    "network_circuit": (lambda x: c.network_circuit(x, 2), "the gates that vote"),
    "equal": (lambda x: c.equal(x, ADDER), "the left circuit"),
    "equal, right": (lambda x: c.equal(ADDER, x), "the right circuit"),
    "equal, care": (lambda x: c.equal(ADDER, ADDER, x), "a care set"),
    "monotone": (lambda x: c.monotone(x, "i0"), "the circuit with a property"),
    "robust, care": (lambda x: c.robust(ADDER, [0, 1], 1, x), "a care set"),
    "found": (lambda x: c.Found(x, "table"), "what a method found"),
    "accuracy": (lambda x: problem().accuracy(x), "what is measured"),
}


@pytest.mark.parametrize("name", CIRCUITS)
def test_what_is_no_circuit_is_refused_by_what_it_stands_for(name):
    call, what = CIRCUITS[name]
    with pytest.raises(TypeMismatch) as told:
        call(3)
    assert str(told.value) == f"{what} {OF_GATES}"


REFUSED = {
    "names of a circuit": (lambda: c.Circuit("ab", ("y",), [], [2]), "the inputs of a circuit must be a list of names, got 'ab'"),
    "literals with fractions": (
        lambda: c.Circuit(("a",), ("y",), [], [2.5]),
        "the roots of a circuit must be literals, whole numbers, got [2.5]",
    ),
    "ANDs of three": (
        lambda: c.Circuit(("a",), ("y",), [2, 2, 2], [2]),
        "the ANDs of a circuit must be literals, whole numbers in rows of two, got [2, 2, 2]",
    ),
    "too few names": (
        lambda: ADDER.renamed(outputs=["s"]),
        "this circuit has 2 bits of output, and 1 names were given: give one for each, or none",
    ),
    "values": (lambda: ADDER.values([1], 1), "a circuit of 2 inputs must be evaluated at that many whole numbers, got [1]"),
    "rows of text": (
        lambda: ADDER.run(ROWS.astype(str)),
        "this circuit expects rows of 2 zeros and ones, got an array of shape (4, 2)",
    ),
    "a literal": (
        lambda: c.Builder(["a"]).finish(["y"], [4]),
        "a literal of this circuit must be a whole number from 0 to 3, got 4",
    ),
    "inlined": (
        lambda: c.Builder(["a"]).inline(ADDER, [2]),
        "a circuit of 2 inputs must be applied to that many literals, got 1",
    ),
    "a table": (lambda: c.from_tables([1.5], 1), "a truth table of 1 inputs must be a whole number of 2 bits, got 1.5"),
    "too large a table": (lambda: c.from_tables([16], 2), "a truth table of 2 inputs must be a number of 4 bits, and one has 5"),
    "no tables": (
        lambda: c.from_tables(6, 2),
        "the truth tables of a circuit must be a list of whole numbers, one for each output, got 6",
    ),
    "labels of rows": (
        lambda: c.from_rows(ROWS, [0, 1, 1, 0], ["a", "b"]),
        "the labels of rows must be a dict by output, a column of zeros and ones for each, got [0, 1, 1, 0]",
    ),
    "no formula": (
        lambda: c.formula(["a"], 3),
        "what a formula is written as must be a function from bits by name to bits by name, got 3",
    ),
    "no parts": (lambda: c.side_by_side([]), "nothing is put side by side: give one circuit or more, of the same inputs"),
    "other inputs": (
        lambda: c.side_by_side([ADDER, ADDER.renamed(inputs=["a", "b"])]),
        "circuits side by side have the same inputs, and the first has no 'a': rename the inputs of one",
    ),
    "no encoder": (
        lambda: c.encoder_circuit(3),
        "what is made of gates must be a fitted encoder, as lg.data.encoder(rows) gives, got 3",
    ),
    "no arrow": (
        lambda: c.to_gates(3),
        "what becomes gates must be an arrow or a model over two elements, such as lg.circuits.parity(3), got 3",
    ),
    "no text as a C name": (lambda: c.c_source(ADDER, 3), "the name of a C function must be text, got 3"),
    "no C name": (
        lambda: c.c_source(ADDER, "2x"),
        "'2x' is no name of a C function: give letters, digits and _, no digit first, such as 'circuit'",
    ),
    "no module": (lambda: c.verilog(ADDER, 3), "the name of a module must be text, such as 'circuit', got 3"),
    "no AIGER": (
        lambda: c.read_aiger("aag 0 0 0 0 0"),
        "an AIGER file must be the bytes of the file, as path.read_bytes() gives, got 'aag 0 0 0 0 0'",
    ),
    "no BLIF": (lambda: c.read_blif(b""), "a BLIF file must be the text of the file, not its path or bytes, got b''"),
    "no truth": (lambda: c.read_truth(3), "a truth table in a file must be text, a line of zeros and ones for each output, got 3"),
    "no path": (lambda: c.read(3), "the place of a circuit must be a path, got 3"),
    "no file": (lambda: c.read("no.aig"), "there is no file 'no.aig': check its name and the current folder"),
    "no folder": (
        lambda: c.write(ADDER, "nowhere/a.aig"),
        "'nowhere/a.aig' cannot be written: No such file or directory; name a file in a folder that is there",
    ),
    "a folder": (lambda: c.load_circuit("."), "'.' is a folder, and a circuit is a file"),
    "rows of a problem": (
        lambda: problem(x=ROWS[:, :1]),
        "x must have a row of 2 bits for each example, got an array of shape (4, 1)",
    ),
    "classes of a problem": (
        lambda: problem(y=[0, 1, 2, 0]),
        "y must have class numbers from 0 to 1, got array([0, 1, 2, 0])",
    ),
    "labels of a problem": (
        lambda: problem(y=[0]),
        "y must have one class number for each of 4 rows, got an array of shape (1,)",
    ),
    "rows held back": (
        lambda: problem(held=3),
        "rows must be held back as a pair (x, y), got 3",
    ),
    "no problem": (
        lambda: c.learn(3, c.Plan()),
        "what a circuit is learned from must be a problem, as circuits.Problem(x, y, inputs, outputs, classes) gives, got 3",
    ),
    "no plan": (lambda: c.learn(problem(), 3), "how to learn a circuit must be a plan, as circuits.Plan(…) gives, got 3"),
    "stopping": (lambda: c.Plan(stopping=3), "stopping must be lg.early_stopping(…), or None, got 3"),
    "score": (lambda: c.Found(ADDER, "table", score=2), "the score of a method must be a number from 0 to 1, got 2"),
    "words": (lambda: c.output_names("y", [1, 2]), "the classes of a circuit must be words, each of them text, got 1"),
    "history": (
        lambda: c.Search({}, ()),
        "the history of a search must have the number of errors before each step, one step or more, got none",
    ),
    "no model": (lambda: c.solve(3, (ROWS, ROWS)), "the model to solve must be a model, or another parametric arrow, got 3"),
    "status": (lambda: c.Verdict(ASKED, "sure"), "the status of a verdict must be one of proved, refuted, unknown, got 'sure'"),
    "counter-example": (
        lambda: c.Verdict(ASKED, "refuted", {"i0": 1}),
        "a counter-example must have 0 or 1 for each of the inputs i0, i1, got {'i0': 1}",
    ),
    "no question": (lambda: c.prove(3), "what is proved must be a question, as circuits.Question(left, right) gives, got 3"),
    "files of a certificate": (
        lambda: c.certificate(c.equal(ADDER, ADDER), "p.drat", ["left.aig"]),
        "a certificate must be about the files left and right, got 1",
    ),
    "no swap": (lambda: c.fair(ADDER, "i0"), "a swap must be a dict of names, such as {'sex=f': 'sex=m'}, got 'i0'"),
    "radius": (lambda: c.robust(ADDER, [0, 1], -1), "a radius must be a whole number ≥ 0, got -1"),
    "over the reals": (lambda: c.soften(lg.dense(4, 3)), f"what is softened must be {OF_Z} f32[3,4]"),
    "over bits": (lambda: c.lift(c.anf(2, 1)), f"what is lifted must be {OF_Z} Z2[3]"),
    "no semiring": (
        lambda: c.votes(6, 3, "Z"),
        "semiring must be a semiring, such as Z or Z2 of lensgrad.theories.poly.semiring, got 'Z'",
    ),
    "too many bits": (
        lambda: c.lut_layer(4, 1_000_000, k=8),
        "a layer of gates of these sizes has 256000000 bits to learn, and 16777216 are the most: use fewer inputs, terms or outputs",
    ),
    "too many inputs": (
        lambda: c.lut_layer(10**30, 3),
        "inputs of a layer of gates must be a whole number from 1 to 1000000, got 1000000000000000000000000000000",
    ),
    "monomials": (
        lambda: c.monomials(60, 30),
        "60 inputs have at least 7776048412324714 monomials of degree ≤ 30, more than 1000000: use degree 4, fewer inputs, or a "
        "lut_network, which needs no list of monomials",
    ),
    "weights of a search": (
        lambda: c.satisfy(c.parity(2, semiring=Z), [1]),
        "weights must be a dict of bits by name, got [1]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_call_is_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, sentence = REFUSED[name]
    with pytest.raises((BadValue, TypeMismatch, MissingData, WireError)) as told:
        call()
    assert str(told.value) == sentence
    assert [*tmp_path.iterdir()] == []


def test_a_formula_that_takes_no_bits_is_told_how_it_is_called():
    with pytest.raises(WireError) as told:
        c.formula(["a"], lambda: {})
    assert str(told.value).startswith("the function of a formula is called with 1 argument, and takes others: ")


def test_numbers_of_numpy_are_taken_where_pythons_are():
    two, three = np.int64(2), np.int64(3)
    assert c.anf(three, two).names == c.anf(3, 2).names and c.anf(three, two).dom == c.anf(3, 2).dom
    assert c.lut_network(two, [three], k=two).params[0].ob == c.lut_network(2, [3]).params[0].ob
    assert c.from_tables([np.int64(6), np.int64(8)], two) == ADDER
    assert c.Builder(["a"]).finish(["y"], np.array([2])).roots.tolist() == [2]
    assert str(c.gain(two)) == str(c.gain(2))


def test_a_radius_beyond_all_inputs_is_all_of_them():
    constant = c.from_tables([0], 2)
    assert c.robust(constant, [0, 1], 10**30).status == "proved"


def test_the_rows_of_a_problem_are_bits_and_its_labels_class_numbers():
    made = problem(y=np.array([0.0, 1.0, 1.0, 0.0]), x=ROWS.astype(np.float64))
    assert made.x.dtype == np.uint8 and made.y.dtype == np.int64 and made.y.tolist() == [0, 1, 1, 0]
