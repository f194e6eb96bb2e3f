"""The READ-ME.txt of a store: how people get their files out by hand.

It is written for somebody who has lost the program and is no programmer. The script in it is
tried by a test.
"""

TEXT = """\
THIS FOLDER BELONGS TO FIRNLINE

Firnline keeps folders equal on several devices. It uses this place as a store:
here are the changes of your folders, every version of them, and nothing else.

Please do not rename, edit or delete anything here. Firnline finds everything
by its name, and what is not where it was counts as damaged. It is safe to copy
all of this to another disk, and to read it with any program.


The easy way to get your files back

Install Firnline on a computer, then tell it of this place and of a folder:

    firnline store add rescued  THE PLACE WHERE THIS FILE IS
    firnline folder available
    firnline folder join  NAME OF THE FOLDER  AN EMPTY FOLDER


Without Firnline

Each folder of yours has a folder here, with its name and eight characters, for
example  photos-1a2b3c4d.  (If its  config  says  "encrypted": true,  nothing in
it can be read without Firnline and the passphrase.) In it:

  snapshot/data/    Older files, complete, under their own names, with some
                    characters before each name. Simply copy them out. Of
                    several with the same name the largest number is the newest.

  events/           The newer changes, a folder for each day. Each file is one
                    change; its name says when, and of what kind:

                        20261122082600123456_..._put_...
                        the moment, in UTC        the kind

                    put   The file IS the new content, byte for byte. Copy it
                          out and give it the right name (see eventsindex).
                    bat   A batch: many small files in one. See below.
                    pat   Only the difference to an older version.
                    mov, cpy, del, mkd, rmd, lnk
                          Something was moved, copied or deleted, or a
                          directory or link was made. Mostly empty files.

  eventsindex/      Which file a change is about. The characters after the kind
                    are the name of a small text file in here; open it with any
                    editor and you see the path that the file had.

  history/data/     Contents of older versions, complete. The name is the one
                    that stands between the first two _ of the change.


To unpack a batch

A batch starts with a line such as  firnline-batch 1 2345 : so many bytes of
list follow, one line of text for each file, then the contents of the files.
With Python (python.org) installed, save these lines as  unpack.py  and start

    python3 unpack.py  THE BATCH  A NEW FOLDER

    import json, pathlib, sys
    batch, folder = map(pathlib.Path, sys.argv[1:])
    header, rest = batch.read_bytes().split(b"\\n", 1)
    size = int(header.split()[2])
    contents = rest[size:]
    for line in rest[:size].decode("utf-8").split("\\n"):
        item = json.loads(line) if line else {"op": None}
        if item["op"] != "put" or item["offset"] is None:
            continue  # brings no content
        if ".." in item["path"].split("/") or item["path"].startswith("/"):
            continue  # not written by Firnline
        target = folder / item["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        start = item["offset"]
        target.write_bytes(contents[start:start + item["size"]])

A line of the list without "offset" says that the content was there before:
look for a change with the same "hash".
"""
BODY = TEXT.encode("ascii")
