import { Button, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Page } from '../ui/page.tsx';
import { problemOf, signIn } from './api.ts';

/** Asks for the access token when the server wants one, and signs this browser in. */
export function TokenGate({ error, children }: { error: unknown; children: ReactNode }) {
  const [token, setToken] = useState('');
  const queries = useQueryClient();
  const enter = useMutation({
    mutationFn: signIn,
    onSuccess: (right) => {
      if (right) void queries.resetQueries();
    },
  });
  if (error === null || problemOf(error).status !== 401) return children;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enter.mutate(token.trim());
  };
  return (
    <Page title="This Binnacle asks for a token" description="The one that it was started with (--token or BINNACLE_TOKEN).">
      <form onSubmit={submit}>
        <Stack gap="sm" maw={420}>
          <PasswordInput
            label="Access token"
            size="sm"
            value={token}
            onChange={(e) => {
              setToken(e.currentTarget.value);
              enter.reset();
            }}
            error={enter.data === false ? 'The server does not accept this token.' : enter.isError ? problemOf(enter.error).detail : undefined}
            data-autofocus
          />
          <Group>
            <Button type="submit" size="sm" disabled={token.trim() === ''} loading={enter.isPending}>
              Sign in
            </Button>
          </Group>
          <Text size="xs" c="dimmed">
            A cookie keeps you signed in until the browser is closed. Programs send the token as <code>Authorization: Bearer …</code>.
          </Text>
        </Stack>
      </form>
    </Page>
  );
}
