"""One thread for BLAS, in every process that imports this.

The threads of BLAS change the last digits of a result, and a limit holds for the whole process, in
which several models are trained side by side. So it is set once, and stays.
"""

# SciPy brings a BLAS of its own beside NumPy's; the limit is one of those that are loaded.
import numpy as np  # noqa: F401  (loads its BLAS)
import scipy.linalg  # noqa: F401  (loads its BLAS)
from threadpoolctl import threadpool_limits

threadpool_limits(limits=1, user_api="blas")
