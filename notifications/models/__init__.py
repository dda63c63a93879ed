"""What people receive, and why they do or do not receive it."""

from notifications.models.checks import ReachCheck
from notifications.models.incidents import UNKNOWN_KIND, Incident, IncidentReport
from notifications.models.messages import Message
from notifications.models.notifications import Notification, Sending
from notifications.models.plans import Plan
from notifications.models.preferences import Preference
from notifications.models.templates import MessageTemplate
from notifications.models.traces import TraceEntry
from notifications.models.whatsapp import WhatsAppTemplate
from notifications.models.windows import Window, WindowEntry

__all__ = [
    "UNKNOWN_KIND",
    "Incident",
    "IncidentReport",
    "Message",
    "MessageTemplate",
    "Notification",
    "Plan",
    "Preference",
    "ReachCheck",
    "Sending",
    "TraceEntry",
    "WhatsAppTemplate",
    "Window",
    "WindowEntry",
]
