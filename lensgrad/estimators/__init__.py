"""Estimators for scikit-learn: a network on a table with `fit`, `predict` and `score`, in pipelines and searches.

They need the extra `sklearn`. `lg.LensClassifier` and `lg.LensRegressor` import this package when first asked for.
"""

from lensgrad.core.errors import MissingExtra

try:
    from lensgrad.estimators import scikit as scikit
except ImportError as error:
    told = "LensClassifier and LensRegressor need scikit-learn 1.6 or newer, which is not installed"
    raise MissingExtra(f"{told}: pip install 'lensgrad[sklearn]'") from error

from lensgrad.estimators.classifier import LensClassifier
from lensgrad.estimators.regressor import LensRegressor

__all__ = ["LensClassifier", "LensRegressor"]
