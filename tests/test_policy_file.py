"""The policy file: what it may say, and how mistakes in it are told."""

import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.policy.ignore import Ignore
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.policy_file import PolicyError, PolicyFile, lines_of_keys, load_policy, load_policy_file, policy_of
from flatline.policy_text import changes, text_of, text_with_origins

PATH = Path("policy.toml")


def test_the_default_file_has_every_key_and_is_the_default() -> None:
    """`flatline policy show` prints all there is, and using it as it is changes nothing."""
    text = text_of(PolicyFile())
    sections = tomllib.loads(text)
    assert list(sections["judgement"]) == list(Thresholds.__struct_fields__)
    assert list(sections["ignore"]) == list(Ignore.__struct_fields__)
    said = policy_of(text, path=PATH)
    assert (said.default, said.ignored, said.by_tier) == (Policy().default, None, {})


def test_a_policy_is_written_as_it_is_read(tmp_path: Path) -> None:
    """What is printed of a policy in force says the same again, and names each default that it departs from."""
    file = tmp_path / "policy.toml"
    file.write_text(
        '[judgement]\nlink_days_min = 7\n[tiers.1]\nsilent_score = 0.5\n[ignore]\nrel = ["sponsored", "\\"x"]\n'
        "[removed]\nlinks_bring_back = true\n"
    )
    read = load_policy_file(file)
    assert list(changes(read)) == [
        f"judgement.link_days_min = 7 (default: {Thresholds().link_days_min})",
        'ignore.rel = ["sponsored","\\"x"] (default: [])',
        "removed.links_bring_back = true (default: false)",
        f"tiers.1.silent_score = 0.5, others {Thresholds().silent_score}",
    ]
    file.write_text(text_of(read))
    assert load_policy_file(file) == read
    assert list(changes(load_policy_file(None))) == []


_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "silent_score": st.sampled_from([0.5, Thresholds().silent_score]),
        "link_days_min": st.sampled_from([7, Thresholds().link_days_min]),
        "silent_gaps": st.just(2.5),
    },
)


@given(
    judgement=_VALUES,
    tier=_VALUES,
    name=st.sampled_from(["silent_score", "silent_probability"]),
    between=st.lists(st.sampled_from(["", "# silent_score = 1", "   "]), max_size=3),
    name_of_file=st.sampled_from(["policy.toml", 'a "b" # c.toml', "two\nlines = 1.toml"]),
)
def test_each_value_says_where_it_is_from(
    *,
    judgement: dict[str, Any],
    tier: dict[str, Any],
    name: str,
    between: list[str],
    name_of_file: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The line that is named has the key, by its present or former name; what the file doesn't have is the default."""
    file = tmp_path_factory.mktemp("policy") / name_of_file
    written = ["[tiers.1]", *(line for key, value in tier.items() for line in (*between, f"{key} = {value}"))]
    written += ["[judgement]"]
    for key, value in judgement.items():
        written += [*between, f"  {name if key == 'silent_score' else key}={value} # why"]
    file.write_text("\n".join([*written, "[ignore]", "rel = [", '  "ugc",', "]", "own_links = true", ""]))
    lines = file.read_text().split("\n")
    policy = load_policy_file(file)
    text = text_with_origins(policy, file, lines_of_keys(file))
    assert policy_of(text, path=file).default == policy_of(file.read_text(), path=file).default
    file.write_text(text)
    assert load_policy_file(file) == policy

    section, named = "", set()
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        if not (found := re.fullmatch(r"(\w+) = (\S+)  # (default|line (\d+))(, default: .*)?", line)):
            assert line.startswith(("#", "[")) or not line
            continue
        key, number = found[1], found[4]
        said = {"judgement": judgement, "tiers.1": tier, "ignore": {"rel": 1, "own_links": 1}}.get(section, {})
        assert (key in said) == (number is not None), line
        if number is not None:
            named.add((section, key))
            spelled = name if (section, key) == ("judgement", "silent_score") else key
            assert re.match(rf"\s*{spelled}\s*=", lines[int(number) - 1])
            assert lines.index(f"[{section}]") < int(number) - 1
    assert len(named) == len(judgement) + len(tier) + 2


def test_a_value_in_a_table_on_one_line_is_in_the_file(tmp_path: Path) -> None:
    """No line is named that might be another key's."""
    file = tmp_path / "policy.toml"
    file.write_text("judgement = {silent_score = 0.5}\nremoved.links_bring_back = true\n")
    text = text_with_origins(load_policy_file(file), file, lines_of_keys(file))
    assert f"silent_score = 0.5  # in the file, default: {Thresholds().silent_score}\n" in text
    assert "links_bring_back = true  # in the file, default: false\n" in text
    assert "names no file" in text_with_origins(PolicyFile(), None, {})


def test_no_file_is_the_default() -> None:
    """Without a file, and with an empty one, the defaults hold."""
    assert load_policy(None).default == policy_of("", path=PATH).default == Thresholds()


def test_tiers_change_what_they_name() -> None:
    """A tier has the file's thresholds but for those of its own."""
    policy = policy_of("[judgement]\ncooling_score = 0.2\nlink_days_min = 7\n[tiers.1]\nsilent_score = 0.3", path=PATH)
    assert policy.thresholds_of(1) == Thresholds(cooling_score=0.2, silent_score=0.3, link_days_min=7)
    assert policy.thresholds_of(2) == policy.thresholds_of(None) == Thresholds(cooling_score=0.2, link_days_min=7)


def test_keys_may_have_their_former_names() -> None:
    """A file from the time when the score was called a probability still means what it meant."""
    policy = policy_of(
        "[judgement]\ncooling_probability = 0.2\nquality_gone_probability = 0.7\n[tiers.1]\nsilent_probability = 0.5",
        path=PATH,
    )
    assert policy.thresholds_of(None) == Thresholds(cooling_score=0.2, quality_gone_score=0.7)
    assert policy.thresholds_of(1) == Thresholds(cooling_score=0.2, quality_gone_score=0.7, silent_score=0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[judgement]\n\nsilent_probability = 2",
            "line 3: judgement.silent_score is 2: expected a number below 1.",
        ),
        (
            "[tiers.2]\nsilent_score = 0.5\nsilent_probability = 0.5",
            "silent_probability is the former name of silent_score. Keep one of them.",
        ),
        (
            "[judgement]\nsilent_score = 2",
            "line 2: judgement.silent_score is 2: expected a number below 1.",
        ),
        (
            "[judgement]\nlink_days_min = 1",
            "line 2: judgement.link_days_min is 1: expected a whole number of at least 2.",
        ),
        (
            "[judgement]\nlink_days_min = 'x'",
            "line 2: judgement.link_days_min is 'x': expected a whole number, not a text.",
        ),
        (
            "# comment\n[judgement]\n\nsilent_scor = 0.5",
            "line 4: there is no 'judgement.silent_scor'. Did you mean 'silent_score'?",
        ),
        ("[judgment]\nx = 1", "line 1: there is no 'judgment'. Did you mean 'judgement'?"),
        ("[model]\nx = 1", "line 2: there is no 'model.x'. There are: file."),
        (
            "[judgement]\nsilent_score = 0.3",
            "line 1: judgement: cooling_score (0.3) must be below silent_score (0.3).",
        ),
        ("judgement = 3", "line 1: judgement is 3: expected a section, not a whole number."),
        ("[tiers.4]\nx = 1", "line 1: there is no tier '4': they are 1, 2 and 3."),
        ("[tiers.1]\nx = 1", "line 2: there is no 'tiers.1.x'. There are: link_days_min,"),
        (
            "[judgement]\nsilent_score = 0.6\n[tiers.1]\nsilent_score = 1.5",
            "line 4: tiers.1.silent_score is 1.5: expected a number below 1.",
        ),
        ("[ignore]\nrel = 'nofollow'", "line 2: ignore.rel is 'nofollow': expected a list, not a text."),
        ("[ignore]\nrel = ['nofollow', 3]", "line 2: ignore.rel.1 is 3: expected a text, not a whole number."),
        (
            "[ignore]\nreferring_domains = ['blog.example.com']",
            "line 1: ignore: referring_domains has 'blog.example.com': links count for the whole of 'example.com'.",
        ),
        (
            "[ignore]\nreferring_domains = ['a b']",
            "line 1: ignore: referring_domains has 'a b', which is no domain name.",
        ),
        ("[ignore]\ntargets = ['/tag']", "line 1: ignore: targets has '/tag', which is not an absolute URL."),
        ("[judgement", "Expected ']' at the end of a table declaration"),
    ],
)
def test_errors_say_where_what_and_what_instead(text: str, message: str) -> None:
    """Whoever wrote it reads the file, the line, the key, its value, and what is allowed."""
    with pytest.raises(PolicyError) as raised:
        policy_of(text, path=PATH)
    assert str(raised.value).startswith("policy.toml")
    assert message in str(raised.value)


@given(st.recursive(st.integers() | st.text() | st.booleans(), st.lists, max_leaves=4))
def test_no_value_breaks_the_telling_of_its_error(value: object) -> None:
    """Whatever stands where a probability or a list of domains is expected, it is that error and no other."""
    for section, key in (("judgement", "silent_score"), ("ignore", "referring_domains"), ("tiers", "1")):
        with suppress(PolicyError):
            policy_of(f"[{section}]\n{key} = {_toml(value)}", path=PATH)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(each):08x}" for each in value) + '"'
    return str(value)


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    """A missing file and one that is no text are named with the cause."""
    with pytest.raises(PolicyError, match=r"missing\.toml can't be read: No such file or directory"):
        load_policy(tmp_path / "missing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(PolicyError, match="it is not UTF-8"):
        load_policy(tmp_path / "bytes.toml")
