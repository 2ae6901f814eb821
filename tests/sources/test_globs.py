"""Path patterns mean what people expect, and none takes long."""

import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.sources.globs import any_of, glob


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("catalog-info.yaml", ["catalog-info.yaml"], ["a/catalog-info.yaml", "catalog-info_yaml"]),
        ("**/catalog-info.yaml", ["catalog-info.yaml", "a/b/catalog-info.yaml"], ["a/xcatalog-info.yaml"]),
        ("*.yaml", ["a.yaml", ".yaml"], ["a/b.yaml", "a.yml"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "b/a/c"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["a/xb", "ab"]),
        ("**/a/**/b/*.y", ["a/b/c.y", "x/a/y/b/c.y", "a/b/b/c.y"], ["a/b/c/d.y", "b/a/c.y"]),
        ("a?c", ["abc"], ["ac", "a/c", "abbc"]),
        ("a*b*c", ["abc", "axbxc", "abbcc"], ["abx", "a/b/c"]),
        ("*a*a*", ["aa", "xaxax"], ["a"]),
        ("a.c", ["a.c"], ["abc"]),
        ("**", ["a", "a/b"], []),
        ("[ab]", ["[ab]"], ["a"]),
    ],
)
def test_what_a_pattern_covers(pattern: str, covered: list[str], not_covered: list[str]) -> None:
    expression = any_of((pattern,))
    assert all(expression.fullmatch(path) for path in covered)
    assert not any(expression.fullmatch(path) for path in not_covered)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_within_a_name_it_agrees_with_the_shell(pattern: str, name: str) -> None:
    if pattern != "**":
        assert bool(re.fullmatch(glob(pattern), name)) == fnmatchcase(name, pattern)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("pattern", ["*a" * 30 + "b", "**/a/" * 30 + "b", "*/" * 60 + "b", "**/*a*/" * 20 + "b"])
@pytest.mark.parametrize("path", ["a" * 4000, "a/" * 2000, "aab/" * 1000])
def test_no_pattern_takes_long(pattern: str, path: str) -> None:
    assert not any_of((pattern,)).fullmatch(path)
