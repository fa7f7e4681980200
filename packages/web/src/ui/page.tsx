import { Group, Stack, Text, Title } from '@mantine/core';
import { Link, type LinkProps } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';

export interface Crumb {
  label: string;
  link?: LinkProps;
}

/** The frame of a page: breadcrumbs, one h1, what can be done, and the document's title. */
export function Page({
  title,
  crumbs = [],
  actions,
  description,
  children,
  badge,
}: {
  title: string;
  crumbs?: Crumb[];
  actions?: ReactNode;
  description?: ReactNode;
  badge?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = title === 'Binnacle' ? title : `${title} · Binnacle`;
  }, [title]);
  return (
    <Stack gap="md">
      <Stack gap={4}>
        {crumbs.length > 0 && (
          <nav aria-label="Breadcrumbs">
            <ol className="bn-crumbs">
              {crumbs.map((crumb) => (
                <li key={crumb.label}>
                  {crumb.link ? (
                    <Link {...crumb.link} className="bn-link">
                      {crumb.label}
                    </Link>
                  ) : (
                    crumb.label
                  )}
                </li>
              ))}
            </ol>
          </nav>
        )}
        <Group justify="space-between" gap="sm" align="flex-start">
          <Group gap="sm" style={{ minWidth: 0, flex: '1 1 260px' }}>
            <Title order={1} className="break">
              {title}
            </Title>
            {badge}
          </Group>
          {actions !== undefined && <Group gap="xs">{actions}</Group>}
        </Group>
        {description !== undefined && description !== '' && (
          <Text c="dimmed" size="sm" maw="90ch" component="div" className="bn-description">
            {description}
          </Text>
        )}
      </Stack>
      {children}
    </Stack>
  );
}

/** A titled box. `flush` lets a table touch its edges. */
export function Panel({
  title,
  actions,
  children,
  flush = false,
  id,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
  id?: string;
}) {
  return (
    <section className="bn-panel" id={id}>
      {title !== undefined && (
        <header>
          <Title order={2} size="h3">
            {title}
          </Title>
          {actions !== undefined && <Group gap="xs">{actions}</Group>}
        </header>
      )}
      {/* A scrollable box must be reachable by keyboard. */}
      <div
        className={flush ? 'bn-body flush' : 'bn-body'}
        {...(flush ? { tabIndex: 0, role: 'group', 'aria-label': typeof title === 'string' ? title : 'Table' } : {})}
      >
        {children}
      </div>
    </section>
  );
}

/** Labelled figures in a row. */
export function Stats({ items }: { items: { label: string; value: ReactNode; hint?: ReactNode; tone?: 'good' | 'bad' | 'warn' | undefined }[] }) {
  return (
    <dl className="bn-stats">
      {items.map((item) => (
        <div key={item.label} className="bn-stat">
          <dt>{item.label}</dt>
          <dd style={item.tone ? { color: `var(--bn-${item.tone})` } : undefined}>
            {item.value}
            {item.hint !== undefined && <div className="hint">{item.hint}</div>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Names and values, as a description list. */
export function KeyValues({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className="bn-kv">
      {items.map(([key, value]) => (
        <div key={key} style={{ display: 'contents' }}>
          <dt>{key}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
