import { ActionIcon, AppShell, Box, Burger, Group, Kbd, Menu, ScrollArea, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import {
  IconBell,
  IconBox,
  IconDeviceDesktop,
  IconFlask,
  IconHome,
  IconKeyboard,
  IconMoon,
  IconPlugConnected,
  IconSearch,
  IconStack2,
  IconSun,
} from '@tabler/icons-react';
import { Link, Outlet, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { formatCompact } from '../ui/format.ts';
import { LIVE, useApi } from './api.ts';
import { openSearch, SearchDialog } from './search-dialog.tsx';
import { ShortcutsDialog } from './shortcuts.tsx';
import { TokenGate } from './token-gate.tsx';

export const NAV = [
  { to: '/', label: 'Overview', icon: IconHome, key: 'h' },
  { to: '/experiments', label: 'Experiments', icon: IconFlask, key: 'e' },
  { to: '/models', label: 'Models', icon: IconBox, key: 'm' },
  { to: '/endpoints', label: 'Endpoints', icon: IconPlugConnected, key: 'n' },
  { to: '/batch', label: 'Batch jobs', icon: IconStack2, key: 'b' },
  { to: '/monitoring', label: 'Monitoring', icon: IconBell, key: 'o' },
] as const;

const SCHEMES = [
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
  { value: 'auto', label: 'As the system', icon: IconDeviceDesktop },
] as const;

function SchemeMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Current = SCHEMES.find((s) => s.value === colorScheme)?.icon ?? IconDeviceDesktop;
  return (
    <Menu position="bottom-end" width={170}>
      <Menu.Target>
        <ActionIcon size="lg" aria-label={`Colour scheme: ${colorScheme}`}>
          <Current size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {SCHEMES.map(({ value, label, icon: Icon }) => (
          <Menu.Item key={value} leftSection={<Icon size={15} aria-hidden />} onClick={() => setColorScheme(value)} fw={colorScheme === value ? 600 : 400}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Navigation, search, colour scheme and shortcuts around every page. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const [help, helpDialog] = useDisclosure(false);
  const router = useRouter();
  const info = useApi('getInfo', undefined, { refetchInterval: LIVE.slow });
  const { toggleColorScheme } = useMantineColorScheme();
  const counts = info.data?.counts;
  const countOf: Record<string, number | undefined> = {
    '/experiments': counts?.experiments,
    '/models': counts?.models,
    '/endpoints': counts?.endpoints,
    '/batch': counts?.batchJobs,
  };

  useHotkeys(
    [
      ['mod+/', helpDialog.toggle],
      ['mod+J', () => toggleColorScheme()],
    ],
    [],
  );
  useGoKeys((key) => {
    const page = NAV.find((item) => item.key === key);
    if (page !== undefined) void router.navigate({ to: page.to });
  });

  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !opened } }} padding={0}>
      <a href="#content" className="skip-link">
        Skip to content
      </a>
      <AppShell.Header style={{ borderColor: 'var(--bn-border)' }}>
        <Group h="100%" px="sm" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={opened ? 'Close navigation' : 'Open navigation'} />
            <Link to="/" style={{ display: 'flex', alignItems: 'center', gap: 9, textDecoration: 'none', color: 'inherit' }} aria-label="Binnacle, overview">
              <img src="/ui/favicon.svg" width={26} height={26} alt="" />
              <Text fw={650} fz="md" style={{ letterSpacing: '-0.01em' }}>
                Binnacle
              </Text>
            </Link>
          </Group>
          <Group gap={4} wrap="nowrap">
            <UnstyledButton
              onClick={openSearch}
              aria-label="Search everything"
              style={{
                display: 'flex',
                alignItems: 'center',
                gap: 8,
                border: '1px solid var(--bn-border)',
                borderRadius: 6,
                padding: '5px 9px',
                color: 'var(--bn-muted)',
                fontSize: 13,
              }}
            >
              <IconSearch size={15} aria-hidden />
              <span className="hide-narrow" style={{ minWidth: 150 }}>
                Search
              </span>
              <Kbd size="xs" className="hide-narrow">
                Ctrl K
              </Kbd>
            </UnstyledButton>
            <ActionIcon size="lg" aria-label="Keyboard shortcuts" onClick={helpDialog.open} className="hide-narrow">
              <IconKeyboard size={18} aria-hidden />
            </ActionIcon>
            <SchemeMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" style={{ borderColor: 'var(--bn-border)' }}>
        <AppShell.Section grow component={ScrollArea}>
          <nav className="bn-nav" aria-label="Main">
            {NAV.map(({ to, label, icon: Icon }) => (
              <Link key={to} to={to} activeOptions={{ exact: to === '/', includeSearch: false }} onClick={close}>
                <Icon size={17} stroke={1.7} aria-hidden />
                {label}
                {to === '/monitoring' && counts !== undefined && counts.openAlarms > 0 ? (
                  <span className="count" style={{ color: 'var(--bn-bad)', fontWeight: 600 }} title={`${counts.openAlarms} open alarms`}>
                    {counts.openAlarms}
                    <span aria-hidden> ●</span>
                  </span>
                ) : (
                  countOf[to] !== undefined && countOf[to] > 0 && <span className="count">{formatCompact(countOf[to])}</span>
                )}
              </Link>
            ))}
          </nav>
        </AppShell.Section>
        <AppShell.Section>
          {info.data !== undefined && (
            <Text size="xs" c="dimmed" p={8} className="break" component="div">
              Binnacle {info.data.version}
              <br />
              <span title="Data directory">{info.data.dataDir}</span>
              <br />
              <a className="bn-link" href="/api/binnacle/v1/openapi.json">
                OpenAPI
              </a>{' '}
              ·{' '}
              <a className="bn-link" href="/metrics">
                Metrics
              </a>
            </Text>
          )}
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main bg="var(--bn-page)">
        <Box id="content" px={{ base: 'sm', sm: 'lg' }} py="md" maw={1760} tabIndex={-1} style={{ outline: 'none' }}>
          <TokenGate error={info.error}>
            <Outlet />
          </TokenGate>
        </Box>
      </AppShell.Main>
      <SearchDialog />
      <ShortcutsDialog opened={help} onClose={helpDialog.close} />
    </AppShell>
  );
}

/** "g" and then a letter goes to a page, unless something is being typed. */
function useGoKeys(go: (key: string) => void): void {
  useEffect(() => {
    let armed = 0;
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      if (event.ctrlKey || event.metaKey || event.altKey || target?.closest('input, textarea, select, [contenteditable]')) return;
      if (event.key === 'g') armed = event.timeStamp;
      else if (armed > 0 && event.timeStamp - armed < 1500) {
        armed = 0;
        go(event.key);
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}
