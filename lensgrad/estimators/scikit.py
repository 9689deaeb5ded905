"""scikit-learn, as estimators use it: it has no types of its own, so they are written here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

from lensgrad.program.values import Numbers

if TYPE_CHECKING:

    class BaseEstimator:
        """Parameters that are read and set by name, a state, and tags."""

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def __getstate__(self) -> dict[str, Any]: ...
        def __setstate__(self, state: Mapping[str, Any]) -> None: ...
        def __sklearn_tags__(self) -> Any: ...

    class ClassifierMixin:
        """The score of a classifier is its accuracy."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...

    class RegressorMixin:
        """The score of a regressor is R²."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...

    class StandardScaler:
        """What puts columns at mean 0 and standard deviation 1."""

        def __init__(self, *, with_mean: bool, with_std: bool) -> None: ...
        def fit(self, X: Numbers, *, sample_weight: Numbers | None) -> Scaler: ...

    def check_classification_targets(y: Numbers) -> None: ...
    def check_is_fitted(estimator: BaseEstimator) -> None: ...
    def compute_sample_weight(class_weight: Any, y: Numbers) -> Numbers: ...
    def softmax(X: Numbers) -> Numbers: ...
    def validate_data(estimator: Any, *data: Any, dtype: Any, **how: Any) -> Any: ...
    def check_sample_weight(given: Any, X: Numbers, *, dtype: Any, ensure_non_negative: bool) -> Numbers: ...
else:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils import compute_sample_weight
    from sklearn.utils.extmath import softmax
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight as check_sample_weight
    from sklearn.utils.validation import check_is_fitted, validate_data


class Scaler(Protocol):
    """What was fitted to put columns at mean 0 and standard deviation 1."""

    n_features_in_: int

    def transform(self, X: Numbers, /) -> Numbers: ...
    def inverse_transform(self, X: Numbers, /) -> Numbers: ...


__all__ = [
    "BaseEstimator", "ClassifierMixin", "RegressorMixin", "Scaler", "StandardScaler", "check_classification_targets", "check_is_fitted",
    "check_sample_weight", "compute_sample_weight", "softmax", "validate_data",
]  # fmt: skip
