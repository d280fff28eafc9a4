"""A day in three customer groups of a bank, written as data: `huimin`, `licai` and `fuli`, composed by `script`."""
