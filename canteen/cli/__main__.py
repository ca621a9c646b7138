"""`python -m canteen.cli`: the command line where no script was installed."""

from canteen.cli import main

main(prog_name="canteen")
