"""See https://docs.djangoproject.com/en/5.2/topics/i18n/formatting/#creating-custom-format-files."""

DATE_INPUT_FORMATS = ["%Y-%m-%d"]
TIME_INPUT_FORMATS = ["%H:%M", "%H:%M:%S"]
DATETIME_INPUT_FORMATS = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
DATE_FORMAT = "l, j F Y"
