import json

import pytest
from hub.wire import Response, reply

from dursor.errors import AuthError, ConflictError, NotFoundError, ProviderError
from dursor.github.repo_names import RepoName

LIB = RepoName("ada", "lib")
ASK = {"head": "ada:topic", "base": "main", "title": "Title", "body": "Body"}


@pytest.fixture
def topic(lib):
    return lib.commit("topic", {"b.py": "2\n"})


@pytest.fixture
def pull(hub, lib, topic, ada):
    """An open pull request, as the double's object."""
    ada.pulls(LIB).create(**ASK)
    return lib.pulls[1]


def test_create(hub, lib, topic, ada):
    created = ada.pulls(LIB).create(**ASK)
    assert (created.created, created.draft_refused) == (True, False)
    result = created.pull
    assert (result.number, result.url, result.state) == (1, f"{hub.url}/ada/lib/pull/1", "open")
    assert (result.title, result.body) == ("Title", "Body")
    assert (result.head_ref, result.head_commit, result.head_repo) == ("topic", topic, LIB)
    assert result.base_ref == "main"
    assert ada.pulls(LIB).get(1) == result
    assert hub.requests[0].json == {**ASK, "draft": False}


def test_create_again_returns_the_existing_one(hub, lib, topic, ada):
    first = ada.pulls(LIB).create(**ASK)
    again = ada.pulls(LIB).create(**{**ASK, "title": "Another", "draft": True})
    assert (again.created, again.pull) == (False, first.pull)
    assert len(lib.pulls) == 1


def test_create_draft(lib, topic, ada):
    created = ada.pulls(LIB).create(**ASK, draft=True)
    assert (created.pull.state, created.draft_refused) == ("draft", False)


def test_create_draft_where_drafts_are_not_allowed(hub, lib, topic, ada):
    lib.drafts = False
    created = ada.pulls(LIB).create(**ASK, draft=True)
    assert (created.created, created.pull.state, created.draft_refused) == (True, "open", True)
    assert [json.loads(r.body)["draft"] for r in hub.requests] == [True, False]


@pytest.mark.parametrize(
    ("change", "kind", "part"),
    [
        ({"base": "absent"}, NotFoundError, "ada/lib has no branch absent"),
        ({"head": "ada:absent"}, ConflictError, "branch absent does not exist"),
        ({"head": "eve:topic"}, ConflictError, "fork"),
        ({"head": "ada:main"}, ConflictError, "main has no commits that main"),
        ({"head": "ada:alone"}, ConflictError, "no commit in common"),
        ({"title": ""}, ConflictError, "title is missing_field"),
    ],
)
def test_refusals(lib, topic, ada, change, kind, part):
    lib.commit("alone", {"x": "1"}, orphan=True)
    with pytest.raises(kind) as failure:
        ada.pulls(LIB).create(**{**ASK, **change})
    assert part in failure.value.message
    assert failure.value.hint
    assert lib.pulls == {}


def test_refusals_in_plain_text(hub, lib, topic, ada):
    body = {"message": "Validation Failed", "errors": ["must be a collaborator"]}
    hub.intercept("POST */pulls", lambda r, p: reply(422, body))
    with pytest.raises(AuthError, match="collaborators"):
        ada.pulls(LIB).create(**ASK)
    hub.intercept("POST */pulls", lambda r, p: reply(422, {"message": "No", "errors": "odd"}))
    with pytest.raises(ConflictError, match="No"):
        ada.pulls(LIB).create(**ASK)


def test_existing_one_cannot_be_found(hub, lib, topic, ada):
    comments = "A pull request already exists for ada:topic."
    body = {"message": "Validation Failed", "errors": [{"message": comments}]}
    hub.intercept("POST */pulls", lambda r, p: reply(422, body))
    with pytest.raises(ConflictError, match="already exists"):
        ada.pulls(LIB).create(**ASK)


def test_create_from_a_fork(hub, connect):
    parent = hub.repo("ada/open", {"a": "1\n"})
    fork = hub.fork(parent, "bob")
    fork.commit("topic", {"a": "2\n"})
    github, name = connect(hub.env(hub.token("bob"))), RepoName("ada", "open")
    created = github.pulls(name).create(**{**ASK, "head": "bob:topic"})
    assert str(created.pull.head_repo) == "bob/open"
    assert github.pulls(name).find("bob", "topic").number == created.pull.number
    assert github.pulls(name).find("ada", "topic") is None
    parent.pulls[1].head = None  # the fork is deleted
    assert github.pulls(name).get(1).head_repo is None
    assert github.pulls(name).find("bob", "topic").number == 1


def test_find_prefers_the_open_one_then_the_newest(hub, lib, topic, ada):
    assert ada.pulls(LIB).find("ada", "topic") is None
    for _ in range(3):
        number = ada.pulls(LIB).create(**ASK).pull.number
        hub.close(lib.pulls[number])
    assert ada.pulls(LIB).find("Ada", "topic").number == 3
    lib.pulls[2].state = "open"
    assert ada.pulls(LIB).find("ada", "topic").number == 2
    assert hub.requests[-1].query["head"] == "ada:topic"


def test_find_ignores_others_in_an_unfiltered_list(hub, lib, topic, ada, pull):
    """GitHub ignores filters that it does not understand."""

    def unfiltered(request, proceed):
        path = request.target.replace("head=", "base=main&sort=")
        path = path.replace("sort=ada%3Aelse", "").replace("sort=eve%3Atopic", "")
        return hub._proper(type(request)(request.method, path, request.headers))

    hub.intercept("GET */pulls", unfiltered, times=2)
    assert ada.pulls(LIB).find("ada", "else") is None
    assert ada.pulls(LIB).find("eve", "topic") is None


def test_states(hub, lib, ada, pull):
    pull.draft = True
    assert ada.pulls(LIB).get(1).state == "draft"
    pull.draft = False
    assert ada.pulls(LIB).get(1).state == "open"
    hub.close(pull)
    assert ada.pulls(LIB).get(1).state == "closed"
    pull.state = "open"
    created = hub.merge(pull, "squash")
    lib.delete_branch("topic")
    result = ada.pulls(LIB).get(1)
    assert (result.state, result.merge_commit) == ("merged", created)
    assert result.head_commit == pull.last
    assert ada.pulls(LIB).find("ada", "topic").state == "merged"  # lists do not say `merged`


def test_read_only_token(hub, lib, topic, connect):
    token = hub.token("ada", permissions={"metadata": "read", "contents": "read"})
    with pytest.raises(AuthError) as failure:
        connect(hub.env(token)).pulls(LIB).create(**ASK)
    assert "missing permission pull_requests=write" in failure.value.message


def test_comments_are_in_order(hub, lib, ada, pull):
    hub.comment(pull, "bob", "first")
    hub.line(pull, "bob", "second", "b.py", 1)
    hub.review(pull, "bob", "third", "CHANGES_REQUESTED")
    hub.review(pull, "bob", "a secret draft", "PENDING")
    hub.line(pull, "bob", "fourth", "b.py", None)
    reply_to = pull.lines[0]["id"]
    pull.lines[1]["in_reply_to_id"] = reply_to
    comments = ada.pulls(LIB).list_comments(1)
    assert [entry.body for entry in comments] == ["first", "second", "third", "fourth"]
    assert [entry.kind for entry in comments] == ["comment", "line", "review", "line"]
    assert [entry.author for entry in comments] == ["bob"] * 4
    assert [(entry.path, entry.line) for entry in comments if entry.kind == "line"] == [
        ("b.py", 1),
        ("b.py", 1),
    ]
    assert (comments[2].state, comments[3].reply_to) == ("changes_requested", reply_to)
    assert comments[1].diff_hunk.startswith("@@ ")


def test_long_conversation(hub, lib, ada, pull):
    for number in range(230):
        hub.comment(pull, "bob", str(number))
    assert [entry.body for entry in ada.pulls(LIB).list_comments(1)] == [str(n) for n in range(230)]


def test_comments_of_deleted_accounts_and_bots(hub, lib, ada, pull):
    hub.comment(pull, "bob", "left")["user"] = None
    hub.account("ci[bot]", "Bot")
    hub.comment(pull, "ci[bot]", "tests pass")
    pull.comments[0]["body"] = None
    first, second = ada.pulls(LIB).list_comments(1)
    assert (first.author, first.body) == ("ghost", "")
    assert second.author == "ci[bot]"


def test_comments_of_a_missing_pull_request(lib, ada):
    with pytest.raises(NotFoundError, match="pull request 7"):
        ada.pulls(LIB).list_comments(7)


def test_create_again_after_a_lost_response(hub, lib, topic, ada):
    def done_and_cut(request, proceed):
        proceed()

    hub.intercept("POST */pulls", done_and_cut)
    with pytest.raises(Exception, match="lost"):
        ada.pulls(LIB).create(**ASK)
    again = ada.pulls(LIB).create(**ASK)
    assert (again.created, again.pull.number) == (False, 1)
    assert len(lib.pulls) == 1


def test_empty_body(hub, lib, topic, ada, pull):
    pull.body = None
    assert ada.pulls(LIB).get(1).body == ""


def test_response_about_another_pull_request(hub, ada, pull):
    other = {"number": 7, "html_url": f"{hub.url}/ada/lib/pull/7"}
    for lie in (other, {"number": 7}, {"html_url": hub.url}):
        hub.intercept(
            "GET */pulls/1", lambda r, p, lie=lie: reply(200, {**json.loads(p().body), **lie})
        )
        with pytest.raises(ProviderError, match="GitHub's response"):
            ada.pulls(LIB).get(1)


def test_invalid_number(hub, ada, pull):
    for number in (b"true", b"-1", b"1%030d" % 0):
        hub.intercept("GET */pulls/1", lambda r, p, n=number: Response(200, b'{"number": %b}' % n))
        with pytest.raises(ProviderError, match="number"):
            ada.pulls(LIB).get(1)
