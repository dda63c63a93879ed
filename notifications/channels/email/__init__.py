"""Emails to people: laid out here, sent through Resend, another provider that django-anymail knows, or SMTP."""
