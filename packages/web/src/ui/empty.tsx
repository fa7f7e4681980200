import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Snippets } from './code.tsx';
import type { Snippet } from './snippet.ts';

/** A page with nothing on it yet says what belongs here and gives the lines that fill it. */
export function EmptyState({ icon, title, children, snippets }: { icon?: ReactNode; title: string; children: ReactNode; snippets?: Snippet[] }) {
  return (
    <section className="bn-panel">
      <Stack gap="md" p={{ base: 'md', sm: 'xl' }} maw={920}>
        <Stack gap={6}>
          {icon !== undefined && (
            <span style={{ color: 'var(--mantine-color-petrol-5)' }} aria-hidden>
              {icon}
            </span>
          )}
          <Title order={2}>{title}</Title>
          <Text c="dimmed" size="sm" maw="75ch" component="div">
            {children}
          </Text>
        </Stack>
        {snippets !== undefined && <Snippets snippets={snippets} />}
      </Stack>
    </section>
  );
}
