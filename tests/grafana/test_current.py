from grafana.__main__ import FOLDER, files

MAKE_ANEW = "`make dashboards` writes it anew"


def test_what_is_committed_is_what_the_code_says() -> None:
    """Grafana reads the files, people change the code: neither may run ahead of the other."""
    made = files()
    assert sorted(FOLDER.glob("*.json")) == sorted(made), MAKE_ANEW
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is not current: {MAKE_ANEW}"


def test_the_files_come_out_the_same_each_time() -> None:
    """Else every change of one dashboard would touch all."""
    assert files() == files()


def test_grafana_accepts_files_of_this_size() -> None:
    """It refuses provisioned dashboards beyond a megabyte or so."""
    assert all(len(text) < 1_000_000 for text in files().values())
