"""The benchmark: the application against a bare WSGI baseline, in one interleaved run. `make bench`."""
