"""The templates that Meta has approved for an organization's own WhatsApp account."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from notifications.rules import approved_templates
from wedsync.ids import new_id
from wedsync.weddings.models import Organization


class WhatsAppTemplate(models.Model):
    """One template in one language. Its text is fixed at Meta: another text needs approval under a new name."""

    class Purpose(models.TextChoices):
        UPDATE = "update", "Update"
        EMERGENCY = "emergency", "Emergency, to acknowledge"
        EMERGENCY_INFO = "emergency_info", "Emergency, for information"
        DIGEST = "digest", "Digest"

    class Status(models.TextChoices):
        APPROVED = "approved", "Approved"
        PENDING = "pending", "Pending"
        REJECTED = "rejected", "Rejected"
        PAUSED = "paused", "Paused"
        DISABLED = "disabled", "Disabled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="whatsapp_templates", db_index=False
    )
    name = models.CharField(
        max_length=512,
        validators=[RegexValidator(r"\A[a-z0-9_]{1,512}\Z", "Only lowercase letters, digits and _, as at Meta.")],
    )
    language = models.CharField(
        max_length=8,
        validators=[RegexValidator(r"\A[a-z]{2,3}(_[A-Z]{2})?\Z", "Meta's language code, such as de or en_US.")],
    )
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    body = models.TextField(max_length=approved_templates.LONGEST_BODY, help_text="As at Meta, with {{1}}, {{2}}, …")
    parameters = models.JSONField(
        default=list,
        blank=True,
        help_text='What fills {{1}}, {{2}}, …: ["recipient", "headline", "details"]; also couple, venue, date.',
    )
    buttons = models.JSONField(
        default=list, blank=True, help_text='As at Meta: [{"type": "quick_reply", "text": "Confirm"}]'
    )
    status = models.CharField(
        max_length=16, choices=Status.choices, default=Status.PENDING, help_text="At Meta. Only approved ones are used."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "WhatsApp template"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name", "language"], name="whatsapp_template_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.language}"

    def clean(self) -> None:
        """Check body, parameters and buttons against each other, and against Meta's rules.

        A stored row has been approved by Meta, under whatever rules it had at the time: only its status changes.

        Raises:
            ValidationError: by field.
        """
        if not self._state.adding:
            return
        self.parameters = [] if self.parameters is None else self.parameters  # posted by an emptied field
        self.buttons = [] if self.buttons is None else self.buttons
        problems: dict[str, str] = {}
        try:
            approved_templates.check_parameters(self.parameters)
        except ValueError as error:
            raise ValidationError({"parameters": str(error)}) from error
        try:
            approved_templates.check_body(self.body, self.parameters)
        except ValueError as error:
            problems["body"] = str(error)
        try:
            approved_templates.check_buttons(self.buttons, asks=self.purpose == self.Purpose.EMERGENCY)
        except ValueError as error:
            problems["buttons"] = str(error)
        if problems:
            raise ValidationError(problems)
