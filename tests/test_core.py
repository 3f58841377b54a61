"""Which core reads link records."""

import sys
from types import ModuleType

import pytest

from flatline.core import INTERFACE, Core, NoNativeCoreError, core_in_use, native_core
from flatline.doctor.check_result import Sign
from flatline.doctor.machine import examine_machine


def _with_core(monkeypatch: pytest.MonkeyPatch, interface: int | None) -> ModuleType | None:
    """Have a core of this interface installed; None: none at all."""
    core = None if interface is None else ModuleType("flatline_core")
    if core is not None:
        core.INTERFACE = interface  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flatline_core", core)  # type: ignore[arg-type]
    return core


def test_the_native_core_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless Python is asked for."""
    core = _with_core(monkeypatch, INTERFACE)
    assert native_core(Core.AUTO) is native_core(Core.NATIVE) is core
    assert native_core(Core.PYTHON) is None
    assert [core_in_use(wished) for wished in Core] == [Core.NATIVE, Core.NATIVE, Core.PYTHON]


@pytest.mark.parametrize(("interface", "why"), [(None, "can't be imported"), (INTERFACE + 1, "another version")])
def test_without_a_fitting_core_python_reads(monkeypatch: pytest.MonkeyPatch, interface: int | None, why: str) -> None:
    """Whoever asks for the native one is told why there is none, and what to do."""
    _with_core(monkeypatch, interface)
    assert native_core(Core.AUTO) is None
    with pytest.raises(NoNativeCoreError, match=why) as error:
        native_core(Core.NATIVE)
    assert "make setup" in error.value.whole
    signs = {wished: next(found for found in examine_machine(wished) if found.what == "core") for wished in Core}
    assert {wished: found.sign for wished, found in signs.items()} == {
        Core.AUTO: Sign.LOOK,
        Core.NATIVE: Sign.WRONG,
        Core.PYTHON: Sign.FINE,
    }
    assert why in signs[Core.AUTO].says
