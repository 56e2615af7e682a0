"""Runs programs in processes that have read none of the site's settings, nor imported the site.

They are forked from one that has imported what the site is built on, which is half of a start.
"""

import atexit
import functools
import json
import os
import subprocess
import sys

from tests.paths import ROOT

LOOP = """
import gc, json, os, sys, tempfile
import csp.middleware, gunicorn.http, pydantic.main, standardwebhooks, whitenoise.middleware
import django.contrib.admin.apps, django.core.handlers.wsgi, django.db.backends.sqlite3.base
import django.db.migrations.executor, django.middleware.common, django.test, django.views.generic
import PIL.ImageCms, requests, urllib3

gc.freeze()  # so that those that are forked share what is here
for line in sys.stdin:
    program, environment = json.loads(line)
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        child = os.fork()
        if not child:
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            os.environ.clear()
            os.environ.update(environment)
            break
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        errors.seek(0)
        print(json.dumps([code, output.read(), errors.read()]), flush=True)
else:
    sys.exit()
exec(program, {"__name__": "__main__"})
"""


@functools.cache
def _forker() -> "subprocess.Popen[str]":
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    forker = subprocess.Popen(
        [sys.executable, "-c", LOOP],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(forker.communicate)
    return forker


def run(program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with the settings of a site that is not under test, and these besides."""
    everything = os.environ | {"DJANGO_SETTINGS_MODULE": "faceswap_site.settings"} | environment
    forker = _forker()
    assert forker.stdin
    assert forker.stdout
    forker.stdin.write(json.dumps([program, everything]) + "\n")
    forker.stdin.flush()
    code, output, errors = json.loads(forker.stdout.readline())
    return subprocess.CompletedProcess(program, code, output, errors)
