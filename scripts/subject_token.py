"""Print the token of a person who is to be erased: what the form of the `erase` DAG takes instead of a name.

    python -m scripts.subject_token

It asks for the value of an identifier, contact or key column as it stands in the raw logs. Nothing is stored, and
nothing of it reaches a command line, which other users of a machine can see.
"""

import getpass

from include.engine.session import open_engine
from include.lake.erasure.subjects import subject_token
from include.settings import read_settings
from scripts.stack.home import find_home
from scripts.stack.stack import open_stack


def main() -> None:
    """Ask, and print; the keys are those of the environment, or of the embedded stack where it has none."""
    settings = read_settings()
    newest = settings.pii_key or open_stack(find_home()).keys.pii_key
    value = getpass.getpass("Value in the raw logs (not shown): ")
    print(subject_token(open_engine(), value, [newest, *settings.pii_older_keys]))


if __name__ == "__main__":
    main()
