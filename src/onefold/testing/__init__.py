"""Fakes, made-up data whose truth is known, and slow references that are obviously right.

Shipped, so that whoever builds on Onefold can test with them too: `shop` makes an online shop's
calls, `load` makes many of them fast, `reference` is the identity rule once more.
"""
