"""What Python does first in every process that the tests start: it looks for garbage less often.

dbt keeps millions of objects; to look through them again and again is a tenth of its time.
"""

import gc

gc.set_threshold(100_000, 50, 1000)
