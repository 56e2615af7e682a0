from typing import Any

from django.db import migrations, models

from swaps.messages import text

BATCH = 500
# Model, its parameters, and where the version before kept English.
KEPT = (
    ("swap", "error_params", "error_message"),
    ("delivery", "error_params", "last_error"),
    ("deliveryattempt", "error_params", "error"),
    ("submission", "problem_params", "problem"),
    ("hostedprovider", "problem_params", "problem"),
)


def write_out(apps: Any, _schema_editor: Any) -> None:
    """Write the words for the version before, which knows no codes; a batch of rows at a time."""
    for model_name, params, words in KEPT:
        model = apps.get_model("swaps", model_name)
        max_length = model._meta.get_field(words).max_length
        rows = model.objects.filter(**{f"{params}__isnull": False}).only("pk", params, words)
        batch = []
        for row in rows.iterator(chunk_size=BATCH):
            setattr(row, words, text(getattr(row, params))[:max_length])
            batch.append(row)
            if len(batch) == BATCH:
                model.objects.bulk_update(batch, [words])
                batch = []
        model.objects.bulk_update(batch, [words])


class Migration(migrations.Migration):
    dependencies = [
        ("swaps", "0004_second_look"),
    ]

    operations = [
        *(
            migrations.AddField(model_name, params, models.JSONField(null=True))
            for model_name, params, _ in KEPT
        ),
        migrations.RunPython(migrations.RunPython.noop, write_out),
    ]
