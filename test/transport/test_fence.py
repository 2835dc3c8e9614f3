# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numba
import numpy as np
import pytest

from hybrid_pose_ros.transport import fence


def test_a_stored_word_is_loaded_and_its_neighbors_stay():
    words = np.array([1, 2, 3])
    fence.store(words, 1, -(1 << 62))
    assert words.tolist() == [1, -(1 << 62), 3]
    assert fence.load(words, 1) == -(1 << 62)


@pytest.mark.parametrize('function, arguments, access', [
    (fence.load, (0,), ' = load i64, '), (fence.store, (0, 1), 'store i64 ')])
def test_the_access_stays_between_two_fences_after_optimization(function, arguments, access):
    """What LLVM turns into `dmb ish` on ARM, and orders the compiler itself on any machine."""
    kernel = numba.njit(function.py_func)  # anew: what comes from the cache cannot be inspected
    kernel(np.zeros(2, np.int64), *arguments)
    code = kernel.inspect_llvm(kernel.signatures[0]).splitlines()
    first, second = (number for number, line in enumerate(code) if 'fence seq_cst' in line)
    assert sum(access in line for line in code[first:second]) == 1
