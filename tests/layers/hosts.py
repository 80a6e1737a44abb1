"""Hosts to wrap layers around: one of plain functions, one with files in memory."""

from tests.preview1.calls import an_instance
from wasi_host.fs.memory import MemoryFS
from wasi_host.layers.layer import Layers, PerRun
from wasi_spec import FUNCTIONS

ROWS = {row.name: row for row in FUNCTIONS}


class Answers:
    """A host whose functions note what they were called with and return what they were told to.

    An exception (or class of one) given for a function is raised.
    """

    def __init__(self, **answers):
        self.calls = []
        self.answers = answers

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append((name, *arguments))
            answer = self.answers.get(name)
            if isinstance(answer, BaseException) or (
                isinstance(answer, type) and issubclass(answer, BaseException)
            ):
                raise answer
            return answer

        self.__dict__[name] = call  # the same function each time, as a method would be equal
        return call


def files(tree=None, **options):
    """A real host with a tree in memory as ``/`` (descriptor 3)."""
    return an_instance(MemoryFS(tree or {}, device=1).open_root(), **options)


class Wrapped:
    """A host with layers; closes them as a run does."""

    def __init__(self, *layers, host=None, **answers):
        self.inner = Answers(**answers) if host is None else host
        self.layers = Layers(layers)
        self.host = self.layers.around(self.inner)

    def __getattr__(self, name):
        return getattr(self.host, name)

    def failures(self, finished=True):
        self.layers.close(finished)
        return self.layers.failures


class Opened(PerRun):
    """A layer that is opened for a run: gives the layer that was made beforehand."""

    def __init__(self, layer):
        self.layer = layer

    def open(self):
        return self.layer
