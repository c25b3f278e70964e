"""Models, key sources, repositories, tasks, pull requests."""

import stat
from dataclasses import replace

import pytest

from dursor.domain import GitHubAppConfig, KeySource, MessageKind, PullRequest, TaskStatus
from dursor.errors import ConflictError, NotFoundError, UsageError
from dursor.ids import new_id
from dursor.store.read import Reader


def test_model_is_read_as_it_was_written(store, reader, make):
    model = make.model(base_url="http://127.0.0.1/v1", options={"effort": "low", "n": [1]})
    assert store.add_model(model) == model
    assert reader.models() == [model]
    assert reader.model("mine") == model
    assert reader.model("other") is None


def test_name_of_a_model_is_unique(store, make):
    store.add_model(make.model())
    with pytest.raises(ConflictError, match="'mine'"):
        store.add_model(make.model())


def test_removed_model_is_gone(store, reader, make):
    store.add_model(make.model())
    store.remove_model("mine")
    assert reader.models() == []
    with pytest.raises(NotFoundError):
        store.remove_model("mine")


def test_key_sources_are_stored_apart_from_models(store, reader, make):
    store.add_model(make.model())
    for name in ("model:mine", "model:gpt", "provider:openai", "github:token"):
        store.set_key_source(name, KeySource.FILE)
    store.set_key_source("model:gpt", KeySource.KEYRING)
    assert reader.key_sources() == {
        "model:mine": KeySource.FILE,
        "model:gpt": KeySource.KEYRING,
        "provider:openai": KeySource.FILE,
        "github:token": KeySource.FILE,
    }
    assert [(model.name, model.key_source) for model in reader.models()] == [
        ("mine", KeySource.FILE)
    ]
    for name in ("model:mine", "model:gpt", "provider:openai", "provider:google"):
        store.set_key_source(name, None)
    assert reader.key_sources() == {"github:token": KeySource.FILE}
    assert reader.model("mine").key_source is None


def test_added_profile_does_not_inherit_the_key_of_a_built_in_model(store, reader, make):
    store.set_key_source("model:gpt", KeySource.FILE)
    store.add_model(make.model("gpt"))
    assert reader.key_sources() == {}
    assert reader.model("gpt").key_source is None


def test_key_source_of_a_profile_is_stored_and_removed_with_it(store, reader, make):
    model = make.model(key_source=KeySource.KEYRING)
    store.add_model(model)
    assert reader.model("mine") == model
    assert reader.key_sources() == {"model:mine": KeySource.KEYRING}
    store.remove_model("mine")
    assert reader.key_sources() == {}


def test_folder_is_registered_once(store, reader, make):
    repo = make.repo()
    assert store.add_repo(repo) == repo
    assert store.add_repo(make.repo("again", path=repo.path)) == repo
    assert reader.repos() == [repo]
    assert reader.repo_at(repo.path) == repo
    assert reader.repo_at("/elsewhere") is None


def test_name_of_a_repository_is_unique(store, make):
    store.add_repo(make.repo(path="/a"))
    with pytest.raises(ConflictError, match="'app'"):
        store.add_repo(make.repo(path="/b"))


def test_removed_repository_is_restored_with_its_history(store, reader, make, started):
    repo = reader.repo(started.task.repo_id)
    store.remove_repo(repo.id)
    assert reader.repos() == []
    assert reader.repo_at(repo.path) is None
    assert reader.repo(repo.id) == repo
    assert len(reader.runs()) == 3
    store.add_repo(make.repo(path="/another/app"))  # its name is free again

    back = store.add_repo(make.repo("app-again", path=repo.path))
    assert back.id == repo.id
    assert reader.repo(repo.id) == back
    assert len(reader.runs(repo_id=back.id)) == 3


def test_round_restores_a_removed_repository(store, reader, make):
    repo = make.repo()
    store.add_repo(repo)
    store.remove_repo(repo.id)
    again = make.repo()
    task = make.task(again)
    round_ = make.round(task)
    stored = store.start_round(round_, [make.run(round_)], task=task, repo=again)
    assert stored.task.repo_id == repo.id
    assert [listed.id for listed in reader.repos()] == [repo.id]


def test_path_that_is_not_unicode_is_kept(store, reader, make):
    repo = make.repo("caf\udce9", path="/code/caf\udce9")
    store.add_repo(repo)
    assert reader.repo_at("/code/caf\udce9") == repo
    assert store.add_repo(make.repo("x", path=repo.path)) == repo


def test_paths_of_repositories_are_stored_apart(store, reader, make):
    folder = make.repo()
    clone = make.repo("lib", path="/data/repos/lib", workspace_path="/data/repos/lib")
    for repo in (folder, clone):
        store.add_repo(repo)
        assert reader.repo(repo.id) == repo
    paths = store._db.execute(
        "SELECT repo_id, path, workspace_path FROM repo_paths ORDER BY rowid"
    ).fetchall()
    assert [tuple(row) for row in paths] == [
        (folder.id, "/code/app", None),
        (clone.id, "/data/repos/lib", "/data/repos/lib"),
    ]


def test_repository_is_updated(store, reader, make):
    repo = make.repo()
    store.add_repo(repo)
    store.update_repo(repo.id, latest_commit="d" * 40)
    assert reader.repo(repo.id) == replace(repo, latest_commit="d" * 40)
    with pytest.raises(NotFoundError):
        store.update_repo("0" * 32, latest_commit="d" * 40)


def test_task_is_added_gets_a_message_and_is_closed(store, reader, make):
    repo = store.add_repo(make.repo())
    task = store.add_task(make.task(repo))
    message = store.add_message(make.message(task, "also page 0 \ud83d"))
    assert message.kind is MessageKind.NOTE
    assert reader.messages(task.id) == [replace(message, content="also page 0 ?")]
    touched = reader.task(task.id)
    assert touched.updated_at > task.updated_at
    closed = replace(touched, status=TaskStatus.CLOSED, title="another")
    assert store.update_task(closed) == closed
    assert reader.tasks(status=TaskStatus.CLOSED) == [closed]
    assert reader.tasks(status=TaskStatus.OPEN) == []


def pull_request(task, number, **fields):
    at = "2026-01-01T00:00:00.000Z"
    values = {"url": f"https://example.com/o/r/pull/{number}"}
    values |= {"branch": "dursor/x", "title": "T", "body": "B", "latest_commit": "c" * 40}
    values |= {"status": "open", "created_at": at, "updated_at": at}
    return PullRequest(id=new_id(), task_id=task.id, number=number, **(values | fields))


def test_pull_request_is_saved_and_updated_by_its_url(store, reader, make, started):
    task = started.task
    pr = store.save_pr(pull_request(task, 42))
    assert reader.pr("42") == pr
    assert reader.pr(pr.id[:8]) == pr
    merged = store.save_pr(pull_request(task, 42, status="merged"))
    assert merged == replace(pr, status="merged")
    assert reader.prs(task_id=task.id) == [merged]
    assert reader.prs(repo_id=task.repo_id) == [merged]
    assert reader.prs(repo_id="0" * 32) == []
    with pytest.raises(NotFoundError, match="43"):
        reader.pr("43")


def test_messages_keep_their_order_when_the_clock_is_set_back(store, reader, make):
    task = store.add_task(make.task(store.add_repo(make.repo())))
    for text, at in (("first", "2026-02-01T00:00:00.000Z"), ("second", "2026-01-01T00:00:00.000Z")):
        store.add_message(replace(make.message(task, text), created_at=at))
    assert [message.content for message in reader.messages(task.id)] == ["first", "second"]


def test_message_about_a_pull_request_is_stored_once(store, reader, make):
    task = store.add_task(make.task(store.add_repo(make.repo())))
    kinds = {"one": MessageKind.COMMENT, "two": MessageKind.PR_STATE}
    messages = [make.message(task, text, kind=kind) for text, kind in kinds.items()]
    pr, new = store.sync_pr(pull_request(task, 42), messages[:1])
    assert new == (messages[0],)
    again, new = store.sync_pr(pull_request(task, 42, status="merged"), [*messages, messages[1]])
    assert (again.id, new) == (pr.id, (messages[1],))
    assert reader.messages(task.id) == messages
    assert reader.task(task.id).updated_at > task.updated_at
    assert reader.pr("42").status == "merged"


def test_number_in_two_repositories_is_ambiguous(store, reader, make):
    for name in ("a", "b"):
        repo = store.add_repo(make.repo(name))
        task = store.add_task(make.task(repo))
        store.save_pr(pull_request(task, 7, url=f"https://example.com/o/{name}/pull/7"))
    with pytest.raises(UsageError, match="'7' matches more than one pull request"):
        reader.pr("7")
    assert reader.pr("7", repo_id=repo.id).task_id == task.id


def test_second_github_app_replaces_the_first(store, reader):
    assert reader.github_app() is None
    for number in ("1", "2"):
        config = GitHubAppConfig(number, None, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
        store.save_github_app(config)
        assert reader.github_app() == config
    store.remove_github_app()
    assert reader.github_app() is None


def test_files_are_private(store, path, started):
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = [file for file in path.parent.iterdir() if file.is_file()]
    assert {file.name for file in files} >= {"dursor.db", "dursor.db-wal"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_store_is_used_from_its_own_thread(path, make):
    from concurrent.futures import ThreadPoolExecutor

    from dursor.store.write import Store

    with Store(path) as store, ThreadPoolExecutor(1) as writer, Reader(path) as reader:
        writer.submit(store.add_repo, make.repo()).result()
        assert len(reader.repos()) == 1
