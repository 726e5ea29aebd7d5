"""The console's process: ``python -m gateway.city.console``, started by the city only."""

from gateway.city.console.process import main

if __name__ == "__main__":
    main()
