"""The composition root: settings become foundations, foundations become a running pipeline.

Every function takes the settings, opens what it needs, and closes it again; commands and
API handlers are one line into here. `workspace` says where things lie, `in_force` which definitions
hold. What goes on by itself is `worker`, `evaluation`, `folding` and `jobs`; what people ask and do is
`definitions`, `profiles`, `groups`, `identity`, `matching`, `people`, `questions` and `tags`.
"""
