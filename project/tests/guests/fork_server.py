"""Starts Django once with one environment, and forks a process for each command. Runs in the interpreter of a site.

It reads requests from standard input, a line of JSON each, and answers with the status of each command. The last lines run
in the child, so that a command ends as a program ends: with its traceback, its threads and its exit handlers.
"""

import json
import os
import random
import runpy
import sys
from contextlib import suppress

import django

sys.path[0] = ""  # as ``python -c``; the folder of the site is the working directory
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"

with suppress(Exception):  # each command fails with the same error, in its own output
    django.setup()

request: dict[str, list[str] | dict[str, str]] = {}
for line in sys.stdin:
    request = json.loads(line)
    child = os.fork()
    if child == 0:
        break
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps(status), flush=True)
else:
    sys.exit()

for number, path in enumerate(request["streams"]):
    os.dup2(os.open(path, os.O_RDWR), number)
sys.stdin = os.fdopen(0, closefd=False)
os.environ.update(request["environment"])
random.seed()
option, *sys.argv = request["arguments"]
if option == "-c":
    source, *sys.argv = sys.argv
    sys.argv.insert(0, "-c")
    exec(source, {"__name__": "__main__"})
else:
    sys.argv.insert(0, option)
    runpy.run_path(option, run_name="__main__")
