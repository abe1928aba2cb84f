"""The first day, end to end: as tests on the embedded AWS, and as a command against any other target."""
