"""A parse that tests hand on saves time and changes nothing: what changed since is parsed anew."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import create_dbt_project
from helpers import rows_of

FILES = {
    "dbt_project.yml": (
        "name: shop\nversion: 0.1.0\nprofile: customer_insights\nvars:\n  from_project: old\n"
    ),
    "macros/from_macro.sql": "{% macro from_macro() %}old{% endmacro %}",
    "seeds/listed.csv": "from_seed\nold\n",
    "models/answers.sql": (
        "select 'old' as from_model, '{{ from_macro() }}' as from_macro, "
        "'{{ config.get('meta').from_yaml }}' as from_yaml, "
        "'{{ config.get('meta').from_environment }}' as from_environment, "
        "'{{ var('from_project') }}' as from_project, from_seed from {{ ref('listed') }}"
    ),
    "models/answers.yml": (
        "models:\n  - name: answers\n    config:\n      meta:\n        from_yaml: old\n"
        "        from_environment: \"{{ env_var('NOTE', 'old') }}\"\n"
    ),
}
FULL_PARSE = "Unable to do partial parsing"


def build(files: Path, folder: Path, **env: str) -> tuple[str, dict[str, str]]:
    """`dbt build` of the files in a new folder: what dbt said, and the row that it made."""
    folder.mkdir()
    project = create_dbt_project(folder)
    command = [sys.executable, "-m", "dbt.cli.main", "build", "--project-dir", str(files)]
    with project.handed_on_parse(env, files):
        done = subprocess.run(
            [*command, *project.common_arguments[2:]],
            env=project.environment(env),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = rows_of(project, "select * from insights.answers")
    return done.stdout, row


def edit(files: Path, *names: str) -> None:
    for name in names:
        (files / name).write_text((files / name).read_text().replace("old", "new"))


@pytest.mark.long
def test_a_parse_is_handed_on_and_what_changed_is_parsed_anew(tmp_path: Path) -> None:
    files = tmp_path / "files"
    for name, text in FILES.items():
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_text(text)
    shown, old = build(files, tmp_path / "first")
    assert FULL_PARSE in shown
    assert set(old.values()) == {"old"}

    shown, row = build(files, tmp_path / "unchanged")
    assert FULL_PARSE not in shown
    assert row == old

    edit(files, *(name for name in FILES if name != "dbt_project.yml"))
    shown, row = build(files, tmp_path / "files_changed")
    assert FULL_PARSE not in shown
    assert row == {**dict.fromkeys(old, "new"), "from_project": "old"}

    shown, row = build(files, tmp_path / "another_environment", NOTE="newer")
    assert FULL_PARSE not in shown
    new = {**dict.fromkeys(old, "new"), "from_environment": "newer"}
    assert row == {**new, "from_project": "old"}

    edit(files, "dbt_project.yml")
    _, row = build(files, tmp_path / "settings_changed", NOTE="newer")
    assert row == new
