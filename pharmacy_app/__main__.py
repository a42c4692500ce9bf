"""The program's front door: straight to the window when nothing else was asked, else to the command line."""

import sys


def main() -> None:
    """Run ``pharmacy-app``. The window's way loads nothing but Qt before it is painted."""
    arguments = sys.argv[1:]
    if not arguments:
        from pharmacy_app.windows import show_study

        sys.exit(show_study(""))
    if arguments == ["demo"]:
        from pharmacy_app.windows import show_demonstration

        sys.exit(show_demonstration())
    from pharmacy_app.cli import app

    app()


if __name__ == "__main__":
    main()
