"""The process of one upload, started by the console only."""

from gateway.city.ledger.uploading.work import main

if __name__ == "__main__":
    main()
