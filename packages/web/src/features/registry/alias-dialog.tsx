import type { GateReport } from '@binnacle/contract';
import { Autocomplete, Button, Group, Modal, NativeSelect, Stack, Switch, Text, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { problemOf, useApi } from '../../app/api.ts';
import { ErrorState } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';
import { GateReportView } from './gate-report.tsx';

/** Moves an alias. When gates refuse, shows their report and offers to force it with a reason. */
export function AliasDialog({
  model,
  versions,
  aliases,
  version,
  guarded,
  onClose,
}: {
  model: string;
  versions: number[];
  aliases: string[];
  version: number;
  guarded: string[];
  onClose: () => void;
}) {
  const [alias, setAlias] = useState('champion');
  const [target, setTarget] = useState(version);
  const [force, setForce] = useState(false);
  const [reason, setReason] = useState('');
  const move = useAction('setAlias', { done: (r) => `${r.alias} now points to version ${r.version}`, onSuccess: onClose });
  const refused = move.isError && (problemOf(move.error).details['report'] !== undefined || problemOf(move.error).code.includes('gate'));
  const reports = useApi('listGateReports', { params: { model, version: target } }, { enabled: refused });
  const report = refused ? ((problemOf(move.error).details['report'] as GateReport | undefined) ?? reports.data?.reports[0]) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    move.mutate({ params: { model, alias: alias.trim() }, body: { version: target, force, ...(force ? { reason: reason.trim() } : {}) } });
  };
  return (
    <Modal opened onClose={onClose} title={`Move an alias of ${model}`} size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Group grow>
            <Autocomplete
              size="xs"
              label="Alias"
              value={alias}
              onChange={(v) => {
                setAlias(v);
                move.reset();
              }}
              data={[...new Set(['champion', 'challenger', ...aliases])]}
              required
            />
            <NativeSelect
              label="Version"
              value={String(target)}
              onChange={(e) => {
                setTarget(Number(e.currentTarget.value));
                move.reset();
              }}
              data={versions.map((v) => ({ value: String(v), label: `Version ${v}` }))}
            />
          </Group>
          {guarded.includes(alias.trim()) && !move.isError && (
            <Text size="xs" c="dimmed">
              The gates guard this alias; they run first, which can take some seconds.
            </Text>
          )}
          {move.isError && <ErrorState error={move.error} compact={report !== undefined} />}
          {report !== undefined && (
            <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="Gate report">
              <GateReportView report={report} />
            </div>
          )}
          {(refused || force) && (
            <>
              <Switch label="Force it past the gates; the reason is recorded" checked={force} onChange={(e) => setForce(e.currentTarget.checked)} />
              {force && (
                <Textarea label="Reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)} required autosize minRows={2} maxLength={2000} />
              )}
            </>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={move.isPending}
              disabled={alias.trim() === '' || (force && reason.trim() === '')}
              color={force ? 'orange' : undefined}
            >
              {force ? 'Force' : 'Move'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
