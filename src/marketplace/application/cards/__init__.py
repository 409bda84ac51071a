"""Payment methods that buyers save at the payment provider. None of them is kept here, nor is any secret."""
