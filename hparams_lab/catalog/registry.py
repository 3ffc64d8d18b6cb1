"""Things by the name that a flag takes: built in, or found in installed packages.

    RAY = ExecutorSpec(options=RayOptions, make=...)         in this package, or
    [project.entry-points."hparams_lab.executors"]           in any other:
    slurm = "my_package:SLURM"

Nothing is imported before it is asked for. An entry point that cannot be loaded is warned
about once, in one line, and then left out.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from hparams_lab.catalog.option import Option, Options, list_options
from hparams_lab.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a name stands for; each kind of thing adds how it is made."""

    options: type[Options] = Options  # what can be said of it besides its name; by default nothing


SomeSpec = TypeVar("SomeSpec", bound=Spec)


class Registry(Mapping[str, SomeSpec]):
    """Specs of one kind by name, those that are built in first.

    Args:
        flag: that takes the name, without dashes.
        noun: what it names, in one word.
        kind: class of the specs.
        group: of the entry points.
        builtin: name to `module:attribute`, in the order in which help lists them.
    """

    def __init__(
        self,
        flag: str,
        noun: str,
        kind: type[SomeSpec],
        *,
        group: str,
        builtin: Mapping[str, str],
    ) -> None:
        self.flag = flag
        self._noun = noun
        self._kind = kind
        self._group = group
        self._builtin = builtin
        self._loaded: dict[str, SomeSpec] = {}
        self._problems: dict[str, str] = {}

    def __getitem__(self, name: str) -> SomeSpec:
        spec = self._load(name)
        if spec is None:
            raise KeyError(name)
        return spec

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        names = [*self._builtin, *sorted(self._found.keys() - self._builtin.keys())]
        return (name for name in names if self._load(name) is not None)

    def find(self, name: str) -> SomeSpec:
        """Return the spec of a name that a user gave.

        Raises:
            UsageError: if nothing goes by that name, or it cannot be loaded.
        """
        spec = self._load(name)
        if spec is not None:
            return spec
        if name in self._problems:
            raise UsageError(self._problems[name])
        hint = did_you_mean(name, [*self]) or " Name one of them."
        raise UsageError(f"--{self.flag} must be one of {', '.join(self)}; got {name!r}.{hint}")

    @property
    def options(self) -> dict[str, Option]:
        """The options of all specs by name; one that several have stands once."""
        return {each.name: each for name in self for each in list_options(self.find(name).options)}

    def make_options(self, name: str, given: Mapping[str, Any]) -> Options:
        """Return the options object of a name.

        Args:
            name: of the spec.
            given: values by option; those that are None are not given.

        Raises:
            UsageError: if there is no such name, it has no such option, or a value breaks
                its option's rules.
        """
        owner = self.find(name).options
        values = {key: value for key, value in given.items() if value not in (None, (), [])}
        self.check_owners(values, [name])
        tuples = {each.name for each in list_options(owner) if each.type is tuple}
        return owner(**{key: tuple(v) if key in tuples else v for key, v in values.items()})

    def keep_suitable(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of some values, by option, that a name has options for."""
        own = {each.name for each in list_options(self.find(name).options)}
        return {option: value for option, value in given.items() if option in own}

    def check_owners(self, given: Mapping[str, Any], names: Sequence[str]) -> None:
        """Refuse options that none of some names has.

        Args:
            given: values by option.
            names: of specs.

        Raises:
            UsageError: if there is one.
        """
        owned = {each.name for name in names for each in list_options(self.find(name).options)}
        chosen = f"--{self.flag}={','.join(names)}"
        for option in sorted(given.keys() - owned):
            if option not in self.options:
                raise UsageError(f"{chosen} has no option {option!r}. Drop it.")
            declared = self.options[option]
            owners = [each for each in self if declared in list_options(self.find(each).options)]
            needs = f"{declared.needs}, as " if declared.needs else ""
            value = given[option]
            words = ",".join(value) if declared.type is tuple else value
            raise UsageError(
                f"--{declared.flag}={words} needs {needs}--{self.flag}={' or '.join(owners)}; "
                f"got {chosen}. Drop one of the two."
            )

    @cached_property
    def _found(self) -> dict[str, EntryPoint]:
        """The entry points by name, without those whose names are taken."""
        from importlib.metadata import entry_points  # the fork server does without

        found = {each.name: each for each in entry_points(group=self._group)}
        for name in found.keys() & self._builtin.keys():
            _log.warning(
                "%s is left out, as that name is built in. Rename it.",
                self._describe(found.pop(name)),
            )
        return found

    def _load(self, name: str) -> SomeSpec | None:
        """Return the spec of a name; None if there is none, or it cannot be loaded."""
        if name in self._loaded:
            return self._loaded[name]
        if name in self._builtin:
            module, _, attribute = self._builtin[name].partition(":")
            self._loaded[name] = getattr(importlib.import_module(module), attribute)
        elif name in self._found and name not in self._problems:
            self._load_found(self._found[name])
        return self._loaded.get(name)

    def _load_found(self, found: EntryPoint) -> None:
        try:
            spec = found.load()
            if not isinstance(spec, self._kind):
                raise TypeError(f"{found.value} is no {self._kind.__name__}")
            list_options(spec.options)
        except Exception as error:  # whatever somebody else's module raises
            self._problems[found.name] = problem = (
                f"{self._describe(found)} cannot be loaded: {type(error).__name__}: {error}. "
                "Mend the package, or uninstall it."
            )
            _log.warning(problem)
        else:
            self._loaded[found.name] = spec

    def _describe(self, found: EntryPoint) -> str:
        package = found.dist.name if found.dist else found.module
        return f"the {self._noun} {found.name!r} of the package {package!r}"
