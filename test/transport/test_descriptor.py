# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.transport.descriptor import (
    ALIGNMENT, check_tensors, state_bytes, tensor_specs)


@given(st.dictionaries(st.from_regex(r'[a-z0-9.]{1,9}', fullmatch=True),
                       st.lists(st.integers(1, 50), max_size=4), min_size=1, max_size=9))
def test_tensors_are_laid_out_aligned_in_order_and_apart(shapes):
    specs = tensor_specs(shapes)
    assert [spec.name for spec in specs] == list(shapes)
    assert all(spec.offset % ALIGNMENT == 0 for spec in specs)
    assert all(before.offset + before.byte_count <= after.offset
               for before, after in zip(specs, specs[1:]))
    check_tensors(specs, byte_count=state_bytes(specs))


def test_worked_layout():
    specs = tensor_specs({'a': (3, 5), 'b': (1,), 'c': ()})
    assert [spec.offset for spec in specs] == [0, 64, 128]
    assert state_bytes(specs) == 192
