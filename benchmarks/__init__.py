"""Cost of the warehouse: made-up BaTIS files of any size, a floor to compare with, a harness."""
