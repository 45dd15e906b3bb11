"""`python -m connector` is `travesia`."""

from connector.cli import main

if __name__ == "__main__":
    main()
