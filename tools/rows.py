"""The acceptance rows of the mathematics: each with its sentence and the tests that show it. A row without a test is an error.

`python -m tools.rows` prints them; docs/paper.md maps the paper to files, names and tests, and is checked here too.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAPER = ROOT / "docs" / "paper.md"
SYSTEMS = "tests/acceptance/test_systems.py"
LAWS = "tests/laws/test_laws.py::test_law"

ROWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "C1": (
        "composition in Para is associative with names and has identities",
        (
            "tests/cat/test_para.py::test_composition_is_associative_with_names",
            "tests/cat/test_para.py::test_identities_are_neutral_and_objects_stand_for_them",
            LAWS,
        ),
    ),
    "C2": (
        "⊗ of Para obeys interchange up to the order of parameters",
        ("tests/cat/test_para.py::test_interchange_up_to_the_order_of_parameters", LAWS),
    ),
    "C3": (
        "f¹ = f, f^α^β = f^(β;α), f^α ; g^β = (f;g)^(α⊗β), for lenses too",
        ("tests/cat/test_para.py::test_the_laws_of_reparameterization", LAWS),
    ),
    "C4": (
        "composition of lenses is the formula, with identities",
        ("tests/cat/test_lens.py::test_composition_is_the_formula", "tests/cat/test_lens.py::test_identities_are_neutral_for_any_pair"),
    ),
    "C5": (
        "types that do not meet are an error where they are composed",
        ("tests/cat/test_lens.py::test_composition_checks_types", "tests/cat/test_para.py::test_the_type_of_a_parametric_arrow_is_checked"),
    ),
    "C6": (
        "R is a functor, on parametric arrows too",
        ("tests/cat/test_lens.py::test_r_is_a_functor", "tests/cat/test_para.py::test_differentiating_commutes_with_composing", LAWS),
    ),
    "C7": (
        "base change along a functor is a functor of Para",
        ("tests/cat/test_para.py::test_lens_is_the_base_change_along_r", f"{SYSTEMS}::test_c7_base_change_along_a_functor"),
    ),
    "C8": ("no lens laws are asked of caps and optimizers", ("tests/cat/test_lens.py::test_no_lens_laws_are_asked",)),
    **{
        f"R{k}": (text, (LAWS, "tests/laws/test_oracle.py::test_reverse_is_the_formal_derivative_on_random_arrows"))
        for k, text in enumerate(
            (
                "RD.1: R of sums and of zero",
                "RD.2: R is additive in the cotangent",
                "RD.3: R of identities and projections",
                "RD.4: R of pairs and of discard",
                "RD.5: the chain rule",
                "RD.6: linearity of the derivative",
                "RD.7: symmetry of the second derivative",
            ),
            1,
        )
    },
    "R8": (
        "the forward derivative from R alone is the Jacobian-vector product",
        ("tests/cat/test_reverse.py::test_jvp_agrees_with_differences", "tests/cat/test_reverse.py::test_jvp_and_vjp_are_adjoint"),
    ),
    "R9": (
        "every row of the table of structural maps",
        tuple(
            f"tests/cat/test_reverse.py::test_{n}"
            for n in (
                "identity",
                "composition",
                "tensor",
                "pairing",
                "projections",
                "symmetry",
                "copy_becomes_addition",
                "discard_becomes_zero",
                "addition_becomes_copy",
                "a_constant_becomes_nothing",
                "sum_of_maps",
                "multiplication",
                "scalar_multiplication_and_negation",
            )
        ),
    ),
    "R10": ("the worked example (x₁³ + 2x₁x₂, x₂, sin x₁)", ("tests/cat/test_reverse.py::test_the_worked_example",)),
    "R11": (
        "the dagger of a linear map is its transpose, and twice it is the map",
        (f"{SYSTEMS}::test_r11_the_dagger_of_a_linear_map_is_its_transpose_and_twice_it_is_the_map",),
    ),
    "R12": (
        "ways back of models and losses are additive, those of caps and optimizers need not be",
        (
            f"{SYSTEMS}::test_r12_ways_back_of_models_and_losses_are_additive_and_those_of_optimizers_are_not",
            "tests/cat/test_lens.py::test_a_lens_that_is_no_r_image_says_why",
        ),
    ),
    "M1": (
        "dense is linear ; bias ; activation, with its gradients",
        ("tests/learn/test_layers.py::test_dense_is_linear_bias_activation",),
    ),
    "M2": (
        "convolution, pooling and flattening against formulas and PyTorch",
        (
            "tests/learn/layers/test_formulas.py::test_convolutions",
            "tests/learn/layers/test_formulas.py::test_pools",
            "tests/learn/layers/test_torch.py::test_convolutions",
            "tests/learn/test_layers.py::test_flatten_is_row_major",
        ),
    ),
    "M3": (
        "the gradient of a tied weight is the sum over its copies",
        (
            "tests/cat/test_para.py::test_a_tied_weight_gets_the_sum_of_the_gradients",
            "tests/learn/test_adapt.py::test_the_gradient_of_a_tied_weight_is_the_sum_of_both",
        ),
    ),
    "M4": (
        "the put of a batch is the sum of those of its examples, without a loop",
        (
            "tests/learn/test_batching.py::test_the_gradient_of_a_batch_is_the_mean_or_sum_of_single_gradients",
            "tests/learn/test_batching.py::test_a_batch_has_no_loop",
        ),
    ),
    "M5": (
        "a recurrent network is one cell tied along its steps, and learns parity",
        (
            "tests/learn/layers/test_sequences.py::test_an_lstm_learns_parity",
            "tests/learn/layers/test_formulas.py::test_gru_and_simple_rnn",
            "tests/learn/layers/test_torch.py::test_recurrent_layers",
        ),
    ),
    "M6": (
        "residual, attention and graph convolution: formulas and gradients",
        (
            "tests/learn/layers/test_formulas.py::test_residual_adds_what_it_takes",
            "tests/learn/layers/test_formulas.py::test_attention",
            "tests/learn/layers/test_sequences.py::test_a_transformer_learns_to_read_an_earlier_step",
            "tests/learn/layers/test_formulas.py::test_graph_convolution_by_matrix_and_by_edges",
        ),
    ),
    "M7": (
        "an autoencoder is the classifier's code with the label tied to the input",
        (f"{SYSTEMS}::test_m7_a_label_tied_to_the_input_makes_an_autoencoder",),
    ),
    "L1": (
        "quadratic error: values and both cotangents",
        (
            "tests/learn/test_losses.py::test_half_squared_error_has_its_corrected_reverse",
            "tests/learn/test_losses.py::test_both_cotangents_agree_with_differences",
        ),
    ),
    "L2": ("XOR sends its cotangent both ways", ("tests/learn/test_losses.py::test_xor_sends_its_cotangent_both_ways",)),
    "L3": (
        "softmax cross entropy has the gradient softmax − label, and is stable",
        (
            "tests/learn/test_losses.py::test_cross_entropy_has_its_corrected_formula",
            "tests/learn/test_losses.py::test_cross_entropy_is_stable_at_logits_of_ten_thousand",
        ),
    ),
    "L4": (
        "the dot product sends each the other",
        ("tests/learn/test_losses_twins.py::test_the_labels_gradient_of_a_dot_product_is_the_prediction",),
    ),
    "L5": (
        "the gradient of the label is there and is right",
        ("tests/learn/test_losses_twins.py::test_value_and_both_gradients_are_those_of_jax",),
    ),
    "K1": (
        "caps: constant, scaled, echo; a constant cap does not read the loss",
        (
            "tests/learn/test_rates.py::test_a_constant_rate_does_not_read_the_loss",
            "tests/learn/test_rates.py::test_a_scaled_rate_and_echo_read_it",
            "tests/learn/test_rates.py::test_adding_a_constant_to_the_loss_changes_nothing_under_a_constant_rate",
        ),
    ),
    "O1": (
        "a negative cap with ascent is a positive one with descent; no descent without negatives",
        (
            "tests/learn/test_rates.py::test_a_negative_cap_with_ascent_is_a_positive_one_with_descent",
            "tests/learn/test_optimizers.py::test_there_is_no_descent_without_negatives",
        ),
    ),
    "O2": ("over Z2 ascent and descent are XOR", ("tests/learn/test_optimizers.py::test_over_bits_going_down_and_up_are_the_same",)),
    "O3": (
        "momentum follows the heavy ball; without decay it is descent; the printed sign diverges",
        (
            "tests/learn/test_optimizers.py::test_momentum_follows_the_heavy_ball_for_100_steps",
            "tests/learn/test_optimizers.py::test_momentum_without_decay_is_descent",
            "tests/learn/test_optimizers.py::test_the_sign_printed_in_the_papers_diverges",
            "tests/learn/test_adaptive.py::test_trajectories_are_those_of_pytorch",
        ),
    ),
    "O4": (
        "Nesterov evaluates the model at the look-ahead point, the weight of PyTorch",
        (
            "tests/learn/test_optimizers.py::test_nesterov_evaluates_the_model_at_the_look_ahead_point",
            "tests/learn/test_adaptive.py::test_the_nesterov_point_that_the_model_sees_is_the_weight_of_pytorch",
            "tests/learn/test_optimizers.py::test_nesterov_follows_its_formula_for_100_steps",
        ),
    ),
    "O5": (
        "Adagrad is that of optax and PyTorch",
        (
            "tests/learn/test_trajectories.py::test_trajectories_are_those_of_optax",
            "tests/learn/test_adaptive.py::test_trajectories_are_those_of_pytorch",
        ),
    ),
    "O6": (
        "Adam is that of optax and PyTorch, with t in its state; the printed one does not arrive",
        (
            "tests/learn/test_adaptive.py::test_trajectories_are_those_of_optax",
            "tests/learn/test_adaptive.py::test_adam_keeps_a_counter_and_two_moments",
            f"{SYSTEMS}::test_o6_the_adam_of_the_lens_papers_does_not_arrive",
        ),
    ),
    "O7": (
        "a tensor of optimizers is independent runs",
        (
            "tests/learn/test_optimizers.py::test_optimizers_of_two_layers_are_independent",
            "tests/learn/test_trajectories.py::test_trajectories_are_those_of_optax",
        ),
    ),
    "O8": (
        "descent-ascent is (p − p′, q + q′), and over Z2 descent on both",
        (
            f"{SYSTEMS}::test_o8_descent_ascent_is_the_product_of_two_optimizers",
            f"{SYSTEMS}::test_o8_over_bits_descent_ascent_is_descent_on_both",
        ),
    ),
    "S1": ("the put of a closed lens is the formula", (f"{SYSTEMS}::test_s1_the_put_of_a_closed_lens_is_the_formula",)),
    "S2": ("Example 4.1: least squares", (f"{SYSTEMS}::test_s2_linear_regression_reaches_the_least_squares_solution_by_its_closed_form",)),
    "S3": (
        "Example 4.2: softmax regression is scikit-learn's optimum",
        (f"{SYSTEMS}::test_s3_softmax_regression_reaches_the_optimum_of_scikit_learn",),
    ),
    "S4": (
        "Example 4.3: the Nesterov composite is the one coded by hand",
        (f"{SYSTEMS}::test_s4_the_nesterov_composite_is_the_one_coded_by_hand",),
    ),
    "S5": (
        "Example 4.4: reverse derivative ascent, bit for bit",
        ("tests/learn/test_circuits.py::test_the_step_is_that_of_reverse_derivative_ascent",),
    ),
    "S6": (
        "n steps are the n-fold composite of put",
        ("tests/learn/test_iteration.py::test_n_steps_are_the_n_fold_composite_of_put_and_one_loop",),
    ),
    "S7": (
        "the same closed lens learns weights, inputs or both",
        (f"{SYSTEMS}::test_s7_the_same_closed_lens_learns_weights_or_inputs_or_both",),
    ),
    "S8": (
        "a dream does not depend on the prediction, and its logit rises",
        (f"{SYSTEMS}::test_s8_a_dream_does_not_depend_on_the_prediction_and_its_logit_rises",),
    ),
    "S9": ("a dream over Z2 finds an input that satisfies a circuit", (f"{SYSTEMS}::test_s9_an_input_that_satisfies_a_circuit_is_dreamt",)),
    "S10": (
        "R of a GAN adds what both copies of the discriminator say",
        (f"{SYSTEMS}::test_s10_the_reverse_derivative_of_a_gan_adds_what_both_discriminators_say",),
    ),
    "S11": (
        "the update of a Wasserstein GAN is the explicit formula",
        (f"{SYSTEMS}::test_s11_the_update_of_a_wasserstein_gan_is_the_explicit_formula",),
    ),
    "S12": (
        "the other labels with the other polarity give the same update",
        (f"{SYSTEMS}::test_s12_the_other_labels_with_the_other_polarity_give_the_same_update",),
    ),
    "P1": (
        "each primitive runs forward once in a step, for any bracketing",
        (
            "tests/project/test_project.py::test_composing_is_linear_in_nodes_and_each_forward_stands_once_in_put",
            "tests/cat/test_lens.py::test_composites_of_r_images_compute_each_forward_once",
        ),
    ),
    "P3": (
        "recomputation has the same gradient and keeps nothing",
        ("tests/cat/test_reverse.py::test_recomputation_has_the_same_derivative_and_keeps_nothing",),
    ),
}

WANTED = [f"{k}{i}" for k, n in (("C", 8), ("R", 12), ("M", 7), ("L", 5), ("K", 1), ("O", 8), ("S", 12)) for i in range(1, n + 1)] + [
    "P1",
    "P3",
]


@cache
def tests_of(file: str) -> frozenset[str]:
    """The tests that a file defines."""
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return frozenset(n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test"))


def is_test(where: str) -> bool:
    """Whether `file::test` is a test."""
    file, _, name = where.partition("::")
    return name in tests_of(file)


def broken() -> list[str]:
    """What is missing: rows, tests of rows, and what docs/paper.md names."""
    rows = [f"row {r} is missing" for r in WANTED if r not in ROWS]
    tests = [f"row {r} names {t}, which is no test" for r, (_, ts) in ROWS.items() for t in ts if not is_test(t)]
    return rows + tests + [f"row {r} has no test" for r, (_, ts) in ROWS.items() if not ts] + paper()


def paper(text: str | None = None) -> list[str]:
    """What docs/paper.md names and is not there: a test, a file, or a name in a file, written `file.py: name`."""
    text = PAPER.read_text(encoding="utf-8") if text is None else text
    named = re.findall(r"`([^`]+)`", text)
    wrong = [f"docs/paper.md names {n}, which is no test" for n in named if "::" in n and not is_test(n)]
    files = [n for n in named if n.endswith(".py") and not (ROOT / n).is_file()]
    names = [n for n in named if ".py: " in n and not defined(*n.split(": "))]
    return wrong + [f"docs/paper.md names {n}, which is not there" for n in files + names]


def defined(file: str, name: str) -> bool:
    """Whether a module of the library has a name, or an attribute of one."""
    if not (ROOT / file).is_file():
        return False
    value = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    for part in name.split("."):
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def main() -> int:
    """Print each row, its sentence and its tests, and what is missing."""
    for row in WANTED:
        sentence, tests = ROWS.get(row, ("MISSING", ()))
        print(f"{row:<4} {sentence}\n" + "\n".join(f"       {t}" for t in tests))
    told = broken()
    print("\n".join([*told, f"{len(WANTED)} rows, {len({t for _, ts in ROWS.values() for t in ts})} tests, {len(told)} missing"]))
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
