"""PyTorch, for the files that need it; they are imported when somebody first asks for what they offer."""

from __future__ import annotations

from typing import Any

from lensgrad.core.extras import extra

torch: Any = extra("torch", "torch", "exchanging modules with PyTorch")
