"""`python -m customer_insights`: the command line behind the Makefile."""

import sys

from customer_insights.command_line import main

sys.exit(main())
