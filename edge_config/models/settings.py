"""How a part of a configuration is declared: once, for the operator and for the runtime.

A class of settings is a frozen dataclass whose fields carry what an operator may write. The
process that reads configurations validates them with pydantic (``edge_config.mistakes``) and
writes JSON Schema and the reference from them; the process that runs holds the same objects and
imports neither pydantic nor YAML. This module must therefore stay free of both::

    class Connection(Settings):
        \"\"\"How to reach a counter.\"\"\"

        host: Host = Field(description="name or IP address")
        port: int = Field(default=4001, ge=1, le=65535, description="TCP port")

A ``__post_init__`` that raises ValueError says what contradicts what. Settings with a text form
have a class method ``from_written`` that returns the mapping which a text means.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, dataclass_transform

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


def Field(  # noqa: N802 - as in pydantic, which everybody knows
    *,
    description: str,
    title_zh: str = "",
    title_en: str = "",
    default: Any = dataclasses.MISSING,
    default_factory: Callable[[], Any] | Any = dataclasses.MISSING,
    **limits: Any,
) -> Any:
    """One key of the configuration.

    Args:
        description: what it means, for the reference and for editors.
        title_zh: its name for Chinese readers, as a heading: of point tables, of pages.
        title_en: the same for English readers.
        default: value if the key is absent; without one the key is required.
        default_factory: makes the default where that is a mapping.
        limits: what pydantic's ``Field`` knows: ge, gt, le, lt, min_length, max_length, pattern.
    """
    titles = {"title_zh": title_zh, "title_en": title_en}
    metadata = {"description": description, **titles, **limits}
    if default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field,))
class Settings:
    """Base of everything that an operator writes: unknown keys are errors, values never change."""

    if TYPE_CHECKING:  # what dataclasses.fields and replace ask for
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {
        "extra": "forbid",
        "validate_default": True,
        "allow_inf_nan": False,
    }

    def __init_subclass__(cls) -> None:
        """Make the class a frozen dataclass with keyword arguments."""
        super().__init_subclass__()
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: "GetCoreSchemaHandler"
    ) -> "CoreSchema":
        from pydantic_core import core_schema  # noqa: PLC0415 - only where configurations are read

        mapping = handler(source)
        from_written: Callable[[Any], Any] | None = getattr(cls, "from_written", None)
        if from_written is None:
            return mapping

        def read(written: Any) -> Any:
            return written if isinstance(written, cls) else from_written(written)

        return core_schema.no_info_before_validator_function(read, mapping)


class Exact:
    """A part of an ``Annotated`` float: whole numbers stay whole, as floats end at 2⁵³ exactly."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: "GetCoreSchemaHandler"
    ) -> "CoreSchema":
        from pydantic_core import core_schema  # noqa: PLC0415 - only where configurations are read

        def read(written: Any, number: Callable[[Any], float]) -> float:
            value = number(written)
            if isinstance(written, str) and written.strip().lstrip("+-").isdecimal():
                return int(written)
            return written if type(written) is int else value

        return core_schema.no_info_wrap_validator_function(read, handler(source))


class Rule:
    """What a type of values must be beyond its Python type: a part of an ``Annotated``.

    Args:
        check: returns the value, perhaps in another spelling; a ValueError says what is wrong.
        limits: what pydantic's ``Field`` knows, ``discriminator`` for a union included.
    """

    def __init__(self, check: Callable[[Any], Any] | None = None, **limits: Any) -> None:
        self.check = check
        self.limits = limits

    def __get_pydantic_core_schema__(
        self, source: Any, handler: "GetCoreSchemaHandler"
    ) -> "CoreSchema":
        from pydantic import AfterValidator  # noqa: PLC0415 - only where configurations are read
        from pydantic import Field as Limits  # noqa: PLC0415 - as above

        if self.limits:
            source = Annotated[source, Limits(**self.limits)]
        return handler(Annotated[source, AfterValidator(self.check)] if self.check else source)
