"""What each operator of PyTorch's ATen means as a function on wires, by its name."""

from __future__ import annotations

from lensgrad.interchange.torch.meanings import (
    arrange,
    constants,
    elementwise,
    index,
    linear,
    normalization,
    recurrent,
    reduce,
    windows,
)
from lensgrad.interchange.torch.meanings.call import Meaning, Out, Table

ATEN: Table = {
    **elementwise.TABLE,
    **arrange.TABLE,
    **constants.TABLE,
    **reduce.TABLE,
    **index.TABLE,
    **linear.TABLE,
    **windows.TABLE,
    **normalization.TABLE,
    **recurrent.TABLE,
}
WHOLE = (  # operators that stay one where PyTorch would take them apart
    "lstm.input", "gru.input", "rnn_tanh.input", "rnn_relu.input", "scaled_dot_product_attention", "linear",
)  # fmt: skip
RANDOM = "draws random numbers, and here these come from keys: take the module in eval mode, and train with lensgrad's own dropout"
WHY = {  # reasons why operators have no meaning
    **dict.fromkeys(
        ("native_dropout", "bernoulli", "rand", "rand_like", "randn", "randn_like", "randint", "multinomial", "normal"), RANDOM
    ),
    **dict.fromkeys(
        ("_local_scalar_dense", "nonzero", "masked_select", "unique"), "makes shapes or numbers of Python from what it is given"
    ),
}

__all__ = ["ATEN", "WHOLE", "WHY", "Meaning", "Out", "Table"]
