"""Texts that are put together: equal where their parts are, however they are written."""

import pytest
from traced import calls

NET = """
class Net(nn.Module):
    def __init__(self, names, lo, hi):
        super().__init__()
        self.names, self.lo, self.hi = names, lo, hi
        self.cells = nn.ModuleDict()
        for name in names:
            self.cells["c_" + name + "_a"] = nn.Linear(4, 4)

    def forward(self, x):
        {first}
        {second}
        return x
"""


def most(first: str, second: str) -> int:
    text = NET.format(first=first, second=second)
    return max(int(str(number)) for path, number in calls(text).items() if path.startswith("cells"))


FIRST = "for n in self.names: x = self.cells['c_' + n + '_a'](x)"


@pytest.mark.parametrize(
    "key", ["f'c_{n}_a'", "'c_{}_a'.format(n)", "'c_{k}_a'.format(k=n)", "'c_%s_a' % n", "'_'.join(['c', f'{n}', 'a'])"]
)
def test_spellings_of_one_text_are_one_key(key: str) -> None:
    assert most(FIRST, f"for n in self.names: x = self.cells[{key}](x)") == 2


@pytest.mark.parametrize(
    "key", ["f'c_{n}_b'", "'c_{}'.format(n)", "'{k}_c'.format(k=n)", "'c_%s_b' % n", "f'c_{n}_a' + '_b'", "f'd_{n}_a'"]
)
def test_texts_with_another_part_are_other_keys(key: str) -> None:
    assert most(FIRST, f"for n in self.names: x = self.cells[{key}](x)") == 1


@pytest.mark.parametrize("key", ["f'c{i}'", "'c%d' % i", "'c{:02d}'.format(i)", "'c' + str(i)", "f'c{i - 1}'"])
def test_two_loops_over_other_ranges_have_other_keys(key: str) -> None:
    first = f"for i in range(1, self.lo): x = self.cells[{key}](x)"
    assert most(first, f"for i in range(self.lo, self.hi): x = self.cells[{key}](x)") == 1
    assert most(first, f"for i in range(1, self.hi): x = self.cells[{key}](x)") == 2


def test_what_a_made_name_sets_the_same_name_gets() -> None:
    text = """
    class Net(nn.Module):
        def __init__(self, names):
            super().__init__()
            self.names = names
            for name in self.names:
                setattr(self, f"fc_{name}", nn.Linear(4, 4))

        def forward(self, x):
            for name in self.names:
                x = getattr(self, "fc_" + name)(x)
            return x
    """
    assert calls(text) == {"fc_*": 1}
