"""TOML as people might write it, with the line of each key noted while it is written."""

from hypothesis import strategies as st

SCALARS = (
    "1",
    "-1_000.5e3",
    "true",
    "1979-05-27 07:32:00",
    '"[not] # a = comment"',
    '"quote \\" and backslash \\\\"',
    "'C:\\dir\\'",
    '""',
    "''",
    '"""\nfirst = 1\n# second\n[third]\n"""',
    '"""ends in quotes"""""',
    '"""escaped \\""" inside"""',
    "'''\n'] # '''",
    "'''ends in a quote''''",
)
_names = st.sampled_from(
    ["a", "b-2", "3", "with space", "dot.ted", "é", 'q"uote', "x#y", "[z]", ""]
)
_noise = st.sampled_from(["", "", "# comment [a] = 'b'", "  ", '\t# """'])
_gap = st.sampled_from(["", " ", "\t"])


class _Writer:
    def __init__(self, draw):
        self.draw = draw
        self.text = ""
        self.lines = {}

    def note(self, path):
        line = self.text.count("\n") + 1
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def write(self, text):
        self.text += text

    def key(self, names):
        for index, name in enumerate(names):
            separator = f"{self.draw(_gap)}.{self.draw(_gap)}" if index else ""
            self.write(separator + self.quoted(name))

    def quoted(self, name):
        bare = bool(name) and all(c.isascii() and (c.isalnum() or c in "-_") for c in name)
        if bare and self.draw(st.booleans()):
            return name
        if self.draw(st.booleans()):
            return f"'{name}'"
        escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("é", "\\u00e9")
        return f'"{escaped}"'

    def value(self, path, depth):
        kind = self.draw(st.sampled_from(["scalar", "array", "table"] if depth else ["scalar"]))
        if kind == "scalar":
            self.write(self.draw(st.sampled_from(SCALARS)))
        elif kind == "array":
            self.array(path, depth)
        else:
            self.inline_table(path, depth)

    def array(self, path, depth):
        self.write("[")
        count = self.draw(st.integers(0, 3))
        for index in range(count):
            self.write(self.draw(st.sampled_from(["", " ", "\n  ", " # one, [two]\n\n"])))
            self.note((*path, index))
            self.value((*path, index), depth - 1)
            if index < count - 1 or self.draw(st.booleans()):
                self.write(self.draw(st.sampled_from([",", " ,", "\n,"])))
        self.write(self.draw(st.sampled_from(["]", " ]", " # end ]\n]"])))

    def inline_table(self, path, depth):
        self.write("{")
        for index, name in enumerate(self.some_names()):
            self.write((", " if index else "") + self.draw(_gap))
            self.note((*path, name))
            self.key([name])
            self.write(f"{self.draw(_gap)}={self.draw(_gap)}")
            self.value((*path, name), depth - 1)
        self.write(self.draw(_gap) + "}")

    def some_names(self):
        return self.draw(st.lists(_names, max_size=3, unique=True))

    def pair(self, table, name):
        names = [name, *self.draw(st.sampled_from([[], [], ["sub"], ["sub", "sub2"]]))]
        self.noise()
        self.write(self.draw(_gap))
        self.note((*table, *names))
        self.key(names)
        self.write(f"{self.draw(_gap)}={self.draw(_gap)}")
        self.value((*table, *names), depth=2)
        self.write(self.draw(st.sampled_from(["\n", "  # why\n"])))

    def noise(self):
        for line in self.draw(st.lists(_noise, max_size=2)):
            self.write(line + "\n")


@st.composite
def documents(draw):
    """A valid document, and {path of a key or an array's element: its line}."""
    writer = _Writer(draw)
    for name in writer.some_names():
        writer.pair((), name)
    for index in range(draw(st.integers(0, 3))):
        table = (f"table {index}", *draw(st.lists(_names, max_size=2)))
        writer.noise()
        writer.write(draw(_gap))
        writer.note(table)
        writer.write("[" + draw(_gap))
        writer.key(table)
        writer.write(draw(_gap) + "]" + draw(st.sampled_from(["\n", " # [x]\n"])))
        for name in writer.some_names():
            writer.pair(table, name)
    writer.noise()
    text = writer.text
    if draw(st.booleans()):
        text = text.rstrip("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text, writer.lines
