"""Invoices, credit notes and statements: issued, kept as files, read."""
