import { Stack, Text } from '@mantine/core';
import { Link, useLocation } from '@tanstack/react-router';
import { Page } from '../ui/page.tsx';
import { ErrorState } from '../ui/states.tsx';

export function NotFoundPage() {
  const { pathname } = useLocation();
  return (
    <Page title="No such page">
      <Stack gap="xs">
        <Text>
          There is nothing at <code className="break">{pathname}</code>.
        </Text>
        <Text>
          <Link to="/" className="bn-link">
            Go to the overview
          </Link>{' '}
          or press Ctrl K (⌘ K) to search.
        </Text>
      </Stack>
    </Page>
  );
}

export function PageError({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <Page title="This page failed">
      <ErrorState error={error} retry={reset} />
    </Page>
  );
}
