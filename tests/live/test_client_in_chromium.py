"""The JavaScript client in chromium: sleep, offline, several tabs; everything is shown once and in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.factories import MembershipFactory
from tests.live.browsing import NEEDS_CHROMIUM
from tests.live.networks import Network, network_to
from tests.live.tabs import Browser, Tab, browser, session_of
from tests.live.world import World

SOON = 2.0  # seconds, after the network is back or a tab is gone

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def network(world: World) -> Iterator[Network]:
    with network_to(world.product.port) as made:
        yield made


@pytest.fixture
def opened(world: World, network: Network) -> Iterator[Browser]:
    cookie = session_of(MembershipFactory(organization=world.organization).user)
    with browser(world, network, cookie) as made:
        yield made


def leader(tabs: list[Tab]) -> Tab:
    return next(tab for tab in tabs if tab.leads)


def test_offline_costs_no_event_and_ends_with_the_network(world: World, network: Network, opened: Browser) -> None:
    tab = opened.tab()
    tab.becomes("live")
    world.capacity(160)
    tab.shows([160])
    opened.go_offline()
    for capacity in (161, 162, 163):
        world.capacity(capacity)

    opened.go_online()

    tab.shows([160, 161, 162, 163], seconds=SOON)
    world.capacity(164)
    tab.shows([160, 161, 162, 163, 164], seconds=SOON)


def test_a_frozen_tab_goes_on_where_it_was(world: World, network: Network, opened: Browser) -> None:
    tab = opened.tab()
    tab.becomes("live")
    opened.tab_of_another_site()
    tab.freeze()
    network.forget_connections()
    for capacity in (160, 161):
        world.capacity(capacity)

    tab.look_at()

    tab.shows([160, 161], seconds=SOON)


def test_all_tabs_share_one_connection_and_each_shows_everything_once(
    world: World, network: Network, opened: Browser
) -> None:
    tabs = [opened.tab() for _ in range(3)]
    for tab in tabs:
        tab.becomes("live")
    for capacity in (160, 161):
        world.capacity(capacity)

    for tab in tabs:
        tab.shows([160, 161])
    assert network.upgrades == 1
    assert [tab.leads for tab in tabs].count(True) == 1


def test_a_tab_that_is_closed_hands_the_connection_over(world: World, network: Network, opened: Browser) -> None:
    tabs = [opened.tab() for _ in range(3)]
    for tab in tabs:
        tab.becomes("live")
    gone = leader(tabs)
    left = [tab for tab in tabs if tab is not gone]
    gone.page.close()

    left[0].until(lambda: any(tab.leads for tab in left), SOON)
    world.capacity(160)

    for tab in left:
        tab.shows([160], seconds=SOON)
    assert network.upgrades == 2


def test_a_tab_that_hangs_has_the_connection_taken_away(world: World, network: Network, opened: Browser) -> None:
    tabs = [opened.tab() for _ in range(2)]
    for tab in tabs:
        tab.becomes("live")
    hanging = leader(tabs)
    (other,) = (tab for tab in tabs if tab is not hanging)
    other.look_at()
    hanging.page.evaluate("setTimeout(() => { const ends = Date.now() + 6000; while (Date.now() < ends); }, 0)")

    other.until(lambda: other.leads, SOON)
    world.capacity(160)

    other.shows([160], seconds=SOON)
    hanging.shows([160], seconds=15)
    assert not hanging.leads


def test_a_frozen_tab_leaves_the_connection_to_the_others(world: World, network: Network, opened: Browser) -> None:
    tabs = [opened.tab() for _ in range(2)]
    for tab in tabs:
        tab.becomes("live")
    frozen = leader(tabs)
    (other,) = (tab for tab in tabs if tab is not frozen)
    other.look_at()
    frozen.freeze()

    other.until(lambda: other.leads, SOON)
    world.capacity(160)
    other.shows([160], seconds=SOON)
    frozen.thaw()

    frozen.shows([160], seconds=SOON)


def test_a_tab_that_may_follow_what_the_others_may_not_has_its_own_connection(
    world: World, network: Network, opened: Browser
) -> None:
    couple = opened.tab(channel=f"couple:dashboard:{world.wedding.id}", key=world.token)
    couple.becomes("live")
    supplier = opened.tab(channel=f"supplier:dashboard:{world.systems['venue_master'].id}", key=world.token)
    supplier.becomes("live")

    world.capacity(160)

    couple.shows([160])
    supplier.shows([160])
    assert network.upgrades == 2


def test_a_worker_follows_too(world: World, network: Network, opened: Browser) -> None:
    tab = opened.tab_with_worker()
    tab.becomes("live")
    world.capacity(160)
    tab.shows([160])
    network.refuses_upgrade = True
    network.cut()
    world.capacity(161)

    tab.shows([160, 161])


def test_a_clock_that_jumps_lets_the_connection_be_tested(world: World, network: Network, opened: Browser) -> None:
    tab = opened.tab()
    tab.becomes("live")
    network.forget_connections()
    world.capacity(160)

    tab.page.evaluate("const before = Date.now; Date.now = () => before() + 3600000")

    tab.shows([160], seconds=1 + SOON)


def test_a_proxy_that_refuses_sockets_is_passed_by_a_stream(world: World, network: Network, opened: Browser) -> None:
    network.refuses_upgrade = True
    tab = opened.tab()
    tab.becomes("live")
    world.capacity(160)
    tab.shows([160])
    opened.go_offline()
    world.capacity(161)

    opened.go_online()

    tab.shows([160, 161], seconds=SOON)


def test_the_console_says_how_its_connection_is(world: World, network: Network, opened: Browser) -> None:
    page = opened.tab().page
    page.goto(f"http://127.0.0.1:{network.port}/?organization={world.organization.slug}")
    indicator = page.locator("#indicator")
    expect(indicator).to_have_text("live")

    opened.go_offline()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(indicator).to_contain_text("connection lost")

    event_id = world.capacity(180).json()["id"]
    opened.go_online()
    expect(indicator).to_have_text("live")
    expect(page.locator(f'[data-event="{event_id}"]')).to_be_visible()
