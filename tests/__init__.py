"""The tests; a package so that no installed one named `tests` can hide its doubles."""
