"""Run the verifier as `python -m verifier`."""

import sys

from verifier.almoner_verify import main

sys.exit(main())
