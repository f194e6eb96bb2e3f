"""`firnline config …`."""

from argparse import Namespace

from firnline.cli import output
from firnline.cli.opening import open_engine, places_of
from firnline.config import edits
from firnline.config.errors import BadValueError, UnknownKeyError
from firnline.config.schema import PROGRAM_KEYS
from firnline.config.settings import Settings, get_option, load
from firnline.engine.errors import UsageError


def get(arguments: Namespace) -> int:
    """The value of one key, or all keys with their values."""
    settings = load(places_of(arguments).config_file)
    if arguments.key is None:
        return _show_all(settings, json=arguments.json)
    try:
        value = get_option(settings, arguments.key)
    except UnknownKeyError as error:
        raise UsageError(error.reason) from error
    if arguments.json:
        output.document({arguments.key: value})
    else:
        output.line(output.shown(str(value)))
    return 0


def set_value(arguments: Namespace) -> int:
    """Change one key."""
    with open_engine(arguments, lock=True) as engine:
        file = engine.places.config_file
        try:
            settings = edits.set_option(file, arguments.key, arguments.value)
        except (UnknownKeyError, BadValueError) as error:
            raise UsageError(error.reason) from error
    value = output.shown(str(get_option(settings, arguments.key)))
    output.line(f"{arguments.key} = {value}")
    return 0


def show_all(arguments: Namespace) -> int:
    """All keys, their values and what they mean."""
    settings = load(places_of(arguments).config_file)
    return _show_all(settings, json=arguments.json)


def _show_all(settings: Settings, *, json: bool) -> int:
    values = {key.name: get_option(settings, key.name) for key in PROGRAM_KEYS}
    if json:
        output.document(values)
        return 0
    shown = {name: output.shown(str(value)) for name, value in values.items()}
    rows = [(key.name, shown[key.name], key.description) for key in PROGRAM_KEYS]
    output.table(rows, ("KEY", "VALUE", "MEANING"))
    return 0
