"""What all kinds of matter share: the queue, priority, clocks that say why they are due, notes. Knows no
kind's rules.
"""
