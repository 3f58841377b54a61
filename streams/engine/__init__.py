"""The only code that knows Faust's insides: micro-batches, the state store, the changelog, the commit guard."""
