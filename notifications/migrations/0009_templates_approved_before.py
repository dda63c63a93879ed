"""The templates that organizations have had approved under their old names go on, until the new ones are approved.

Each organization that sends by WhatsApp gets a row for every template that was shipped before and that it has none of
its own for, as approved; and one for its successor, as pending, so that staff see what to submit. Where a template was
never approved, Meta says so at the first send, the row is paused, and the shipped successor is used.
"""

from typing import Any

from django.db import migrations

from notifications.channels.whatsapp.templates import EARLIER, SHIPPED

_PURPOSES = {
    "wedding_update": "update",
    "wedding_emergency": "emergency",
    "wedding_emergency_info": "emergency_info",
}
_PARAMETERS = ["recipient", "headline", "details"]


def keep(apps: Any, schema_editor: Any) -> None:
    """Rows for each organization that has a WhatsApp system; run again it makes nothing twice."""
    systems = apps.get_model("integrations", "System").objects.filter(kind="whatsapp")
    for organization_id in systems.order_by("organization_id").values_list("organization_id", flat=True).distinct():
        _keep_of(apps.get_model("notifications", "WhatsAppTemplate"), organization_id)


def _keep_of(model: Any, organization_id: Any) -> None:
    own = model.objects.filter(organization_id=organization_id)
    theirs = {(row.purpose, row.language.split("_")[0]) for row in own if row.status == "approved"}
    successors = {(each["name"], each["language"]): each for each in SHIPPED}
    for earlier in EARLIER:
        purpose = _PURPOSES[earlier["name"]]
        if (purpose, earlier["language"]) in theirs:
            continue
        _row(model, organization_id, purpose, earlier, "approved")
        successor = successors.get((f"{earlier['name']}_2", earlier["language"]))
        if successor:
            _row(model, organization_id, purpose, successor, "pending")


def _row(model: Any, organization_id: Any, purpose: str, template: Any, status: str) -> None:
    model.objects.get_or_create(
        organization_id=organization_id,
        name=template["name"],
        language=template["language"],
        defaults={
            "purpose": purpose,
            "body": template["body"],
            "parameters": _PARAMETERS,
            "buttons": template.get("buttons", []),
            "status": status,
        },
    )


class Migration(migrations.Migration):
    dependencies = [("notifications", "0008_incidents_without_wedding"), ("integrations", "0001_initial")]
    operations = [migrations.RunPython(keep, migrations.RunPython.noop)]
