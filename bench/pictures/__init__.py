"""Benchmark of the engine's pictures: whose face, how exact, how fast, and clean by eye or not.

Two releases of the engine and two textbook baselines swap the same pairs of photos in one run.

    python -m bench.pictures [--photos FOLDER] [--pairs FILE] [--limit N] [--methods A,B]
                             [--before COMMIT]
    python -m bench.pictures --judgements FILE      (adds answers given to the blind form)

It leaves under var/bench/pictures/ a report (report.html) and in blind/ what a judge needs who is
not to know which method made a picture: form.html, and the same as sheets of PNG for judges
without a browser. The figures are also in bench-results/pictures.json.
"""
