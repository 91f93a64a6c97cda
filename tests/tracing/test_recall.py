

def test_a_function_that_fills_a_table_inside_a_table_fills_it_each_time() -> None:
    helper = 'TABLE = {"kinds": {}}\ndef add(kind):\n    TABLE["kinds"]["k"] = kind\n    return 1\n'
    init = 'self.a = TABLE["kinds"]["k"](2, 2)'
    found = traces(helper + net("A", "add(nn.Linear)", init) + net("B", "add(nn.Linear)", init))
    assert len({one.held["a"][0].type_name for one in found}) == 1
