"""Who is who, as people see and decide it: why, undo, review, rules tried before they are in force."""
