"""A process that answers: ``python -m gateway.identifier.node.native.processes``."""

from gateway.identifier.node.native.processes.reading import main

if __name__ == "__main__":
    main()
