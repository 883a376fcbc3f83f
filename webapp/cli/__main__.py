"""`python -m webapp.cli` is `shuibo`."""

from webapp.cli import main

main(prog_name="shuibo")
