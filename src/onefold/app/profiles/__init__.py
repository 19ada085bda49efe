"""One profile as people see it: found, told, corrected, as of any time; and values handed in for many."""
