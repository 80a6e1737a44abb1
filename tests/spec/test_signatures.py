"""The core signatures, judged by an engine's own WASI: a wrong one does not link.

Linking compares types only. Instantiating would not do: a store without a WASI configuration
aborts the process.
"""

import pytest
import wasmtime

from wasi_spec import FUNCTIONS, MODULE, Function, core_signature, functions, signatures, unstable

#: Functions that wasmtime's own WASI does not define. Were one here, its row would go unjudged.
UNDEFINED: tuple[str, ...] = ()

DEFINED = [function for function in FUNCTIONS if function.name not in UNDEFINED]

OTHER_TYPE = {"i32": "i64", "i64": "i32"}


def words(functions):
    return {"argvalues": functions, "ids": [function.name for function in functions]}


@pytest.fixture(scope="module")
def engine():
    return wasmtime.Engine()


def link(engine, name, params, results):
    signature = "".join(f"(param {kind})" for kind in params)
    signature += "".join(f"(result {kind})" for kind in results)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    text = f'(module (import "{MODULE}" "{name}" (func {signature})))'
    linker.instantiate_pre(wasmtime.Module(engine, text))


@pytest.mark.parametrize("function", **words(DEFINED))
def test_the_signature_links_against_the_engines_own_function(engine, function):
    link(engine, function.name, *core_signature(function))


def test_the_engine_knows_every_function_that_is_not_listed_as_undefined(engine):
    unknown = []
    for function in FUNCTIONS:
        try:
            link(engine, function.name, *core_signature(function))
        except wasmtime.WasmtimeError as error:
            if "unknown import" in str(error):
                unknown.append(function.name)
    assert tuple(unknown) == UNDEFINED


@pytest.mark.parametrize("function", **words([f for f in DEFINED if f.params or f.results]))
def test_a_signature_with_any_one_parameter_of_the_other_type_is_refused(engine, function):
    params, results = core_signature(function)
    for index, kind in enumerate(params):
        wrong = (*params[:index], OTHER_TYPE[kind], *params[index + 1 :])
        with pytest.raises(wasmtime.WasmtimeError, match="incompatible import type"):
            link(engine, function.name, wrong, results)


@pytest.mark.parametrize("function", **words(DEFINED))
def test_a_signature_with_one_parameter_more_is_refused(engine, function):
    params, results = core_signature(function)
    with pytest.raises(wasmtime.WasmtimeError, match="incompatible import type"):
        link(engine, function.name, (*params, "i32"), results)


@pytest.mark.parametrize("function", **words(DEFINED))
def test_a_signature_with_the_other_number_of_results_is_refused(engine, function):
    params, results = core_signature(function)
    with pytest.raises(wasmtime.WasmtimeError, match="incompatible import type"):
        link(engine, function.name, params, () if results else ("i32",))


def test_a_name_that_is_no_function_of_the_specification_is_unknown_to_the_engine(engine):
    with pytest.raises(wasmtime.WasmtimeError, match="unknown import"):
        link(engine, "fd_no_such_call", ("i32",), ("i32",))


def test_a_row_of_no_parameters_and_no_results_has_only_the_errno():
    row = Function("f", "process", "Do nothing.", params=())
    assert core_signature(row) == ((), ("i32",))


def test_a_function_that_never_returns_has_no_result():
    row = Function("f", "process", "Leave.", params=(), noreturn=True)
    assert core_signature(row) == ((), ())


LETTERS = {"i32": "i", "i64": "I"}


@pytest.mark.parametrize("module", [functions, unstable], ids=["preview 1", "unstable"])
def test_the_signatures_written_out_are_those_of_the_rows(module):
    rows = module.FUNCTIONS
    assert signatures.NAMES[module.MODULE] == tuple(row.name for row in rows)
    for row in rows:
        parameters, results = core_signature(row)
        assert signatures.PARAMETERS[row.name] == "".join(map(LETTERS.get, parameters))
        assert results == (() if row.name in signatures.NORETURN else ("i32",))


def test_the_functions_that_differ_between_the_modules_are_those_whose_rows_do():
    rows = {row.name: row for row in functions.FUNCTIONS}
    different = {row.name for row in unstable.FUNCTIONS if row != rows[row.name]}
    assert different == signatures.DIFFERENT
    assert {row.name for row in functions.FUNCTIONS if row.noreturn} == signatures.NORETURN
