"""An append-only trail of what happened, written in the transaction of the change."""
