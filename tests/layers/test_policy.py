import pytest

from tests.layers.hosts import Wrapped, files
from wasi_host.errors import NOENT, ProcExit, WasiError
from wasi_host.layers.policy import policy
from wasi_spec import Errno, SubscriptionClock


def errno_of(call, *arguments):
    with pytest.raises(WasiError) as failed:
        call(*arguments)
    return Errno(failed.value.errno)


@pytest.mark.parametrize("answer", [None, True, Errno.SUCCESS, 0])
def test_a_call_that_is_allowed_is_made(answer):
    host = Wrapped(policy(before=lambda call: answer), fd_tell=5)
    assert host.fd_tell(3) == 5
    assert host.failures() == []


@pytest.mark.parametrize(("answer", "errno"), [
    (False, Errno.PERM), (Errno.NOENT, Errno.NOENT), (int(Errno.ROFS), Errno.ROFS),
    (Errno.TOOBIG, Errno.TOOBIG),
])  # fmt: skip
def test_a_call_that_is_denied_is_not_made_and_fails_with_the_errno(answer, errno):
    host = Wrapped(policy(before=lambda call: answer))
    assert errno_of(host.fd_tell, 3) is errno
    assert host.inner.calls == []
    assert host.failures() == []


def test_a_hook_sees_the_function_and_its_arguments_by_name():
    seen = []
    host = Wrapped(policy(before=seen.append))
    host.path_rename(3, "a", 4, "b")
    host.fd_write(1, memoryview(b"text"))
    host.poll_oneoff([SubscriptionClock(1, 1, 5, 0, 0)])
    assert [(call.function, dict(call.arguments)) for call in seen] == [
        ("path_rename", {"fd": 3, "old_path": "a", "new_fd": 4, "new_path": "b"}),
        ("fd_write", {"fd": 1, "data": b"text"}),
        ("poll_oneoff", {"subscriptions": (SubscriptionClock(1, 1, 5, 0, 0),)}),
    ]
    assert type(seen[1].arguments["data"]) is bytes


def test_a_hook_cannot_change_the_arguments():
    def hook(call):
        call.arguments["fd"] = 0

    host = Wrapped(policy(before=hook))
    assert errno_of(host.fd_tell, 3) is Errno.PERM
    assert isinstance(host.failures()[0], TypeError)


@pytest.mark.parametrize("error", [
    ZeroDivisionError("mine"), FileNotFoundError("a file of the hook's"), NOENT(),
], ids=["any", "OSError", "WasiError"])  # fmt: skip
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hook_that_raises_denies_with_perm_and_the_embedder_gets_the_exception(when, error):
    def hook(*_):
        raise error

    host = Wrapped(policy(**{when: hook}), fd_tell=5)
    assert errno_of(host.fd_tell, 3) is Errno.PERM
    assert host.failures() == [error]


def test_of_a_hook_that_raises_each_time_the_first_exception_is_kept():
    def hook(call):
        raise ValueError(call.function)

    host = Wrapped(policy(before=hook))
    for call in (host.fd_tell, host.fd_close):
        assert errno_of(call, 3) is Errno.PERM
    assert [str(error) for error in host.failures()] == ["fd_tell"]


@pytest.mark.parametrize("answer", ["no", 77, -1, 1.5], ids=repr)
def test_an_answer_that_is_none_denies(answer):
    host = Wrapped(policy(before=lambda call: answer))
    assert errno_of(host.fd_tell, 3) is Errno.PERM
    assert isinstance(host.failures()[0], TypeError | ValueError)


def test_what_ends_the_process_passes_through_a_hook():
    def hook(call):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Wrapped(policy(before=hook)).fd_tell(3)


def test_the_hook_after_a_call_sees_what_came_of_it():
    seen = []
    host = Wrapped(
        policy(after=lambda call, result: seen.append((call.function, result))),
        fd_tell=5, args_get=[b"a"], fd_close=NOENT, fd_sync=FileNotFoundError(2, "gone"),
    )  # fmt: skip
    host.fd_tell(3)
    assert host.args_get() == [b"a"]
    assert errno_of(host.fd_close, 3) is Errno.NOENT
    with pytest.raises(FileNotFoundError):
        host.fd_sync(3)
    assert seen == [
        ("fd_tell", 5), ("args_get", (b"a",)), ("fd_close", Errno.NOENT),
        ("fd_sync", Errno.NOENT),
    ]  # fmt: skip
    assert type(seen[2][1]) is Errno


def test_the_hook_after_a_call_can_replace_its_result_by_an_errno():
    host = Wrapped(policy(after=lambda call, result: Errno.IO), fd_tell=5, fd_close=NOENT)
    assert errno_of(host.fd_tell, 3) is Errno.IO
    assert errno_of(host.fd_close, 3) is Errno.IO


def test_a_descriptor_whose_opening_is_denied_afterwards_is_closed():
    host = Wrapped(
        policy(after=lambda call, result: call.function != "path_open"), host=files({"f": b""})
    )
    assert errno_of(host.path_open, 3, 0, "f", 0, 2, 0, 0) is Errno.PERM
    assert list(host.inner.fds) == [0, 1, 2, 3]


def test_an_exit_cannot_be_denied():
    host = Wrapped(policy(before=lambda call: False), proc_exit=ProcExit(3))
    with pytest.raises(ProcExit):
        host.proc_exit(3)


def test_a_policy_without_hooks_wraps_nothing():
    host = Wrapped(policy())
    assert host.host is host.inner


def test_a_hook_is_a_function():
    with pytest.raises(TypeError, match="a hook of a policy"):
        policy(before="fd_read")


def test_a_policy_can_hide_names_of_a_real_tree():
    def hook(call):
        return Errno.NOENT if str(call.arguments.get("path", "")).endswith(".key") else None

    host = Wrapped(policy(before=hook), host=files({"a.key": b"secret", "b": b""}))
    assert errno_of(host.path_filestat_get, 3, 0, "a.key") is Errno.NOENT
    assert host.path_filestat_get(3, 0, "b")
