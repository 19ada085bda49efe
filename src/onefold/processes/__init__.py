"""The tree of processes behind `onefold up`: start, watch, restart and stop them.

In: the commands of the children. Out: one line once all of them work. Promises: a child that dies
is started again; all children end with the parent, however it ends. The parent imports nothing
heavy, so that watching costs little memory. `child` is for the children, `supervisor` for
the parent, `tree` puts Onefold's own three processes together.
"""
