"""From the broker to the store: verdict, commit, acknowledgement."""
