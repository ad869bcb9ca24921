"""An append-only audit trail. Each entry is written in the transaction of the change."""
