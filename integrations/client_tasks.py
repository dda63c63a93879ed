"""Celery tasks of the clients' sync."""

from uuid import UUID

from celery import shared_task

from integrations.models import System
from integrations.remote_reads import client_sync


@shared_task(name="integrations.sync_clients")
def sync_clients() -> None:
    """Ask for a run of each system, so that a slow one keeps nobody waiting."""
    for system in client_sync.readable():
        sync_clients_of.delay(str(system.id))


@shared_task(name="integrations.sync_clients_of")
def sync_clients_of(system_id: str) -> None:
    """One run of one system; what is left over is read by the next one."""
    system = System.objects.filter(id=UUID(system_id), state=System.Status.ACTIVE).first()
    if system is not None and client_sync.can_be_read(system):
        client_sync.sync(system)
