"""Backend of a multi-seller marketplace for trading cards."""

__version__ = "0.1.0"
