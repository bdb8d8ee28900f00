"""Many files, on one machine or many: the inputs, the ledger, the workers, the tables."""
