"""A worker's memory is bounded by its slots and not by the input; `deploy/large-import` shows the same with 1 GiB."""
from large_import import import_and_measure


def test_several_chunks_worth_of_import_stay_within_the_bound():
    import_and_measure(160)
