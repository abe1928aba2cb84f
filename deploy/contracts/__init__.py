"""What the services make of the contracts: who reads what, what a change breaks, and the documents of it all."""
