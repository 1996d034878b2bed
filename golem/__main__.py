"""`python -m golem`: the command line, where no script of that name is on the path."""

import sys

from golem.cli.main import main

sys.exit(main())
