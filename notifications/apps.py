from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        """Let routes have people as targets, and follow the fate of events."""
        from integrations import sweep
        from integrations.models import Route
        from integrations.registry import followers, senders, targets
        from integrations.registry.accounts import register_account
        from integrations.systems import trials
        from notifications import follow_up, seen
        from notifications.channels.registry import CHANNELS
        from notifications.channels.whatsapp.channel import resend_closed_windows
        from notifications.digests import closing
        from notifications.incidents import (
            alert_ends,
            escalation,
            late_reports,
            placement,
            reach_checks,
            staff_calls,
            unplaced,
        )
        from notifications.routing import PeopleFollower, routed
        from wedsync.live.seen import followers as seen_followers

        targets.register_target(Route.Target.PEOPLE, routed)
        for name, channel in CHANNELS.items():
            senders.register_channel(name, channel)
            register_account(name, channel)
            trials.register(name, channel.harmless_call)
        followers.followers.append(PeopleFollower())
        seen_followers.append(seen.apply)
        rounds = (escalation.escalate_due, late_reports.tell_updates, follow_up.judge_due, closing.close_due)
        without_wedding = (unplaced.find_left_behind, placement.assume_due, staff_calls.call_due)
        for work in (*without_wedding, *rounds, resend_closed_windows, alert_ends.end_due, reach_checks.check_due):
            sweep.register_round(work)
