import { Button, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Page } from '../ui/page.tsx';
import { problemOf, storedToken, storeToken } from './api.ts';

/** Asks for the access token when the server wants one. It stays in this browser and goes along with every request. */
export function TokenGate({ error, children }: { error: unknown; children: ReactNode }) {
  const [token, setToken] = useState('');
  const queries = useQueryClient();
  if (error === null || problemOf(error).status !== 401) return children;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    storeToken(token.trim());
    void queries.resetQueries();
  };
  return (
    <Page title="This Binnacle asks for a token" description="The one that it was started with (--token or BINNACLE_TOKEN). It is kept in this browser only.">
      <form onSubmit={submit}>
        <Stack gap="sm" maw={420}>
          <PasswordInput
            label="Access token"
            size="sm"
            value={token}
            onChange={(e) => setToken(e.currentTarget.value)}
            error={storedToken() === undefined ? undefined : 'The server does not accept the stored token.'}
          />
          <Group>
            <Button type="submit" size="sm" disabled={token.trim() === ''}>
              Continue
            </Button>
          </Group>
          <Text size="xs" c="dimmed" className="break">
            {problemOf(error).detail}
          </Text>
        </Stack>
      </form>
    </Page>
  );
}
