"""Functions of one number that came after the lists of the recordings, found in the public face: each has PyTorch's name."""
import re
from pathlib import Path

import torch

SOURCE = Path(__file__).resolve().parents[2] / "src/tensor/ops/elementwise.ts"

# (scale, offset) of random arguments, where they are not all numbers
DOMAINS = {"asin": [(0.99, 0)], "acos": [(0.99, 0)], "log2": [(3, 3.01)]}
EVERYWHERE = [(1, 0), (5, 0)]
# special points where PyTorch's own formula is no measure: the gradient of expm1 is (expm1(x) + 1) there, 0 from about -37 on
NO_MEASURE = {"expm1": lambda x: x < -36}


def later(cases):
    """Name, function and domains of those that no case of `cases` is of yet."""
    known = {c["fn"] for c in cases}
    names = re.findall(r"export function (\w+)\(x: Tensor\): Tensor", SOURCE.read_text())
    return [(n, getattr(torch, n), DOMAINS.get(n, EVERYWHERE)) for n in names if "ops." + n not in known and hasattr(torch, n)]
