"""`python -m unweave`."""

from unweave.cli import main

raise SystemExit(main())
