import { Button, Code, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { problemOf } from '../app/api.ts';
import { Notice } from './notice.tsx';

/** An error as the server told it: title, detail, code, and the details that came along. */
export function ErrorState({ error, retry, compact = false }: { error: unknown; retry?: (() => unknown) | undefined; compact?: boolean }) {
  const problem = problemOf(error);
  const details = Object.keys(problem.details).length > 0 ? JSON.stringify(problem.details, null, 2) : undefined;
  return (
    <Notice tone="bad" icon={<IconAlertTriangle size={18} />} title={problem.status > 0 ? `${problem.title} (${problem.status})` : problem.title} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm" className="break" style={{ whiteSpace: 'pre-wrap' }} c="var(--bn-ink)">
          {problem.detail}
        </Text>
        {details !== undefined && !compact && (
          <Code block w="100%" mah={220} style={{ overflow: 'auto' }} tabIndex={0}>
            {details}
          </Code>
        )}
        <Group gap="sm">
          <Text size="xs" c="dimmed">
            code <Code>{problem.code}</Code>
          </Text>
          {retry !== undefined && (
            <Button variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={() => void retry()}>
              Try again
            </Button>
          )}
        </Group>
      </Stack>
    </Notice>
  );
}

/** Grey lines where content will be; screen readers hear "loading". */
export function Loading({ lines = 6, height = 22 }: { lines?: number; height?: number }) {
  return (
    <div role="status" aria-live="polite" aria-busy="true" aria-label="Loading">
      <Stack gap={10}>
        {Array.from({ length: lines }, (_, i) => (
          <Skeleton key={i} height={height} width={`${[100, 92, 97, 84, 95, 78][i % 6]}%`} />
        ))}
      </Stack>
    </div>
  );
}

/**
 * Shows a query's answer; a skeleton before the first one, the problem when there is none. A failed refresh keeps
 * the last answer on the page with the problem above it.
 */
export function QueryView<T>({
  query,
  children,
  lines,
  height,
}: {
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
  lines?: number;
  height?: number;
}) {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <ErrorState error={query.error} retry={query.refetch} compact />}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) return <ErrorState error={query.error} retry={query.refetch} />;
  return <Loading {...(lines === undefined ? {} : { lines })} {...(height === undefined ? {} : { height })} />;
}
