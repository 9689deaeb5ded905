"""Shakespeare, a character at a time: a recurrent network and a transformer that predict the next one, and text drawn from them."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue
from lensgrad.data.official import shakespeare
from lensgrad.data.text import Characters, windows
from lensgrad.learn.layers.attention import transformer_block
from lensgrad.learn.layers.basic import dense, input
from lensgrad.learn.layers.combine import each
from lensgrad.learn.layers.embedding import embedding, learned_positions
from lensgrad.learn.layers.norm import layer_norm
from lensgrad.learn.layers.recurrent import lstm
from lensgrad.learn.layers.sequence import sequential
from lensgrad.learn.losses import cross_entropy
from lensgrad.learn.model import Model
from lensgrad.learn.optimizers import adam, adamw
from lensgrad.learn.rates import one_cycle
from lensgrad.recipes.recipe import Data, Plan, Recipe, Sampling, softmax
from lensgrad.train.learner import Learner, supervised
from lensgrad.train.run import Run

LENGTH = 64  # characters that a model sees at once
HELD = 0.1  # the share of the text, at its end, that models are judged by
CHARACTERS = Characters("\n !$&',-.3:;?" + string.ascii_uppercase + string.ascii_lowercase)  # those of the text, in its order


def lstm_model(length: int = LENGTH, units: int = 256) -> Model:
    """{0, …, 64}^T → ℝ^(T, 65): what may follow each character, by one recurrent layer."""
    n = len(CHARACTERS)
    return sequential(
        input(length, dtype="int32"),
        embedding(n, 64, name="embed"),
        lstm(units, name="lstm"),
        each(dense(n, name="output")),
    )


def transformer_model(length: int = LENGTH, width: int = 128, blocks: int = 4, heads: int = 4) -> Model:
    """{0, …, 64}^T → ℝ^(T, 65): embeddings of characters and places, so many causal blocks, a norm and a linear map."""
    n = len(CHARACTERS)
    return sequential(
        input(length, dtype="int32"),
        embedding(n, width, name="embed"),
        learned_positions(name="places"),
        *(transformer_block(heads, causal=True, name=f"block{k}") for k in range(1, blocks + 1)),
        layer_norm(name="norm"),
        each(dense(n, name="output")),
    )


def lstm_learner(rate: float, steps: int) -> Learner:
    """Cross-entropy and Adam with one cycle."""
    return supervised(lstm_model(), cross_entropy, adam(one_cycle(rate, steps)), metrics=["accuracy"])


def transformer_learner(rate: float, steps: int) -> Learner:
    """Cross-entropy and AdamW with one cycle."""
    return supervised(transformer_model(), cross_entropy, adamw(one_cycle(rate, steps), weight_decay=0.1), metrics=["accuracy"])


def lines() -> Data:
    """The plays in pieces: all but the last tenth to train on; that tenth, which nothing was chosen by, to judge by."""
    ids, _ = shakespeare()
    cut = round(len(ids) * (1 - HELD))
    told = f"{cut:,} characters to train on, the {len(ids) - cut:,} after them to validate on"
    return Data(windows(ids[:cut], LENGTH), windows(ids[cut:], LENGTH), None, told)


def predicted(run: Run, data: Data) -> str:
    """The loss on the validation part, for a character."""
    found = run.evaluate(data.validation, batch_size=256)
    told = f"perplexity {np.exp(found['loss']):.2f}, {found['accuracy']:.1%} of the next characters are the likeliest"
    return f"validation loss {found['loss']:.4f} for a character ({told})"


def continued(run: Run, prompt: str, how: Sampling) -> str:
    """The prompt, and characters drawn one after the other, each from what the model gives after those before it."""
    if not prompt:
        raise BadValue("a text is continued from its first characters, and the prompt is empty: give one such as 'ROMEO:'")
    random = np.random.Generator(np.random.PCG64(how.seed))
    ids = CHARACTERS.encode(prompt).tolist()
    length = run.learner.model.dom[0].shape[0]
    for _ in range(how.length):
        seen = ids[-length:]
        window = np.zeros((1, length), np.int32)
        window[0, : len(seen)] = seen  # what stands behind does not matter: these models never look ahead
        ids.append(drawn(run.predict(window)[0, len(seen) - 1], how.temperature, random))
    return CHARACTERS.decode(ids)


def drawn(logits: Any, temperature: float, random: np.random.Generator) -> int:
    """A number with probability softmax(logits / temperature)."""
    shares = softmax(np.asarray(logits, np.float64) / temperature)
    return int(random.choice(len(shares), p=shares))


def sampled(run: Run, seed: int) -> str:
    """A text that a trained model makes up."""
    how = Sampling(seed=seed)
    return f"a sample, at temperature {how.temperature} and seed {how.seed}:\n\n{continued(run, 'ROMEO:', how)}"


RECIPES = (
    Recipe(
        "shakespeare", "Shakespeare", "the next character in a million characters of his plays",
        {
            "lstm": Plan(lstm_learner, 4e-3, 5, 64, "cross-entropy, Adam with one cycle of the rate"),
            "transformer": Plan(transformer_learner, 3e-3, 2, 32, "cross-entropy, AdamW with one cycle of the rate"),
        },
        "lstm", 15_685, lines, predicted, answer=continued, closing=sampled, large=True,
    ),
)  # fmt: skip
