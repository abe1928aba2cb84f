"""The first day of an organization: played over HTTP like real clients, then checked against what they did."""
