"""The process that computes: ``python -m gateway.city.console.apart``, started by the console."""

from gateway.city.console.apart.work import main

if __name__ == "__main__":
    main()
