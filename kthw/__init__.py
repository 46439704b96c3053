"""What a hand-built cluster's network is, how to look at one, and how to judge it. No pytest here."""
