import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useApi, useModels } from '../../app/api.ts';
import { ErrorState } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';
import { fromTarget, type Target, trafficProblem } from './traffic.ts';
import { TargetsForm } from './traffic-editor.tsx';

/** Puts a registered model behind a name. */
export function DeployDialog({ model: given, onClose }: { model: string | undefined; onClose: () => void }) {
  const models = useModels();
  const [model, setModel] = useState(given ?? '');
  const [name, setName] = useState(given ?? '');
  const [targets, setTargets] = useState<Target[] | undefined>();
  const navigate = useNavigate();
  const deploy = useAction('deployEndpoint', {
    done: 'Deployed',
    onSuccess: (e) => void navigate({ to: '/endpoints/$endpoint', params: { endpoint: e.name } }),
  });
  const endpoints = useApi('listEndpoints');
  const taken = endpoints.data?.endpoints.find((e) => e.name === name.trim());
  const chosen = models.data?.find((m) => m.name === model);
  const first =
    chosen === undefined
      ? undefined
      : 'champion' in chosen.aliases
        ? 'alias:champion'
        : Object.keys(chosen.aliases)[0] !== undefined
          ? `alias:${Object.keys(chosen.aliases)[0]}`
          : chosen.latestVersion === null
            ? undefined
            : `version:${chosen.latestVersion}`;
  const shown = targets ?? (first === undefined ? [] : [{ ref: first, weight: 100, shadow: false }]);
  const problem = model === '' ? undefined : chosen !== undefined && chosen.versionCount === 0 ? 'The model has no version yet.' : trafficProblem(shown);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (taken !== undefined && !confirm(`${taken.name} serves ${taken.model} now. Replace its traffic?`)) return;
    deploy.mutate({ params: { endpoint: name.trim() }, body: { model, traffic: shown.map(fromTarget) } });
  };
  return (
    <Modal opened onClose={onClose} title="Deploy an endpoint" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Group grow align="flex-start">
            <Select
              label="Model"
              searchable
              required
              value={model === '' ? null : model}
              onChange={(value) => {
                setModel(value ?? '');
                setTargets(undefined);
                if (name === '' || name === model) setName(value ?? '');
              }}
              data={(models.data ?? []).map((m) => m.name)}
              limit={200}
              nothingFoundMessage={models.isPending ? 'Loading …' : 'No such model'}
            />
            <TextInput
              label="Endpoint name"
              required
              value={name}
              onChange={(e) => setName(e.currentTarget.value)}
              description="Clients call it by this name."
              inputWrapperOrder={['label', 'input', 'description']}
            />
          </Group>
          {model !== '' && <TargetsForm model={model} targets={shown} onChange={setTargets} />}
          {taken !== undefined && (
            <Text size="sm" c="var(--bn-warn)" role="status">
              The endpoint {taken.name} exists and serves {taken.model}: its traffic is replaced.
            </Text>
          )}
          {problem !== undefined && (
            <Text size="sm" c="var(--bn-bad)" role="alert">
              {problem}
            </Text>
          )}
          {deploy.isError && <ErrorState error={deploy.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={deploy.isPending} disabled={model === '' || name.trim() === '' || problem !== undefined}>
              {taken === undefined ? 'Deploy' : 'Replace the traffic'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
