"""Files of rows: read with faults by line, written for programs and for spreadsheets, exported with progress."""
