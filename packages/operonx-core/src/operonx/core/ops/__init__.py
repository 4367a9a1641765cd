"""Ops: functions with named ports, and what a graph must know of them.

Read in this order: `signature` (what a function takes and gives), `naming` (how an op gets
its name from the variable it is assigned to).
"""
