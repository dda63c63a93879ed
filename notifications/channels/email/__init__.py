"""Mail to people: laid out here, sent through Resend, another provider of django-anymail's, or SMTP."""
