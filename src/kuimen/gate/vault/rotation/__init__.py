"""Rotation without downtime: re-encrypt, re-index and merge as jobs that can be killed and gone on with.

Every job reads in batches behind a cursor, works outside of a transaction, and writes a batch and its cursor in one.
A row is written only where its old bytes still stand, so that a writer who came between wins and is taken up in the
next pass. Readers open a value under whichever generation its row names; none fails meanwhile.
"""
