"""Kills or freezes each process and breaks targets in every way, and checks that no accepted event is lost."""
