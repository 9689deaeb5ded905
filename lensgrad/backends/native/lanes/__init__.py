"""Fast execution of polynomial circuits on many examples at once: 64 to a machine word for bits, in vectors for numbers.

`function` is the NumPy backend in which all that works row by row is lowered to instructions on elements and run by a small
program in C, compiled once for each machine. Without a C compiler bits are packed into words in NumPy.
"""

from lensgrad.backends.native.lanes.packed import Words as Words
from lensgrad.backends.native.lanes.run import function as function
