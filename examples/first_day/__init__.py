"""An organization's first day, played over HTTP as clients would, and checked against what they did."""
