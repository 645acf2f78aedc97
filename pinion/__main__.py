"""`python -m pinion`: the command line."""

import sys

from pinion.cli.main import main

sys.exit(main())
