import type { RunDetail } from '@binnacle/contract';
import { Group } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { CopyIcon, Time } from '../../ui/bits.tsx';
import { Elapsed } from '../../ui/elapsed.tsx';
import { formatNumber } from '../../ui/format.ts';
import { KeyValues, Panel } from '../../ui/page.tsx';

/** When, by whom, where, and what it was forked from. */
export function DetailsPanel({ run }: { run: RunDetail }) {
  return (
    <Panel title="Details">
      <KeyValues
        items={[
          ['Started', <Time key="s" at={run.startedAt} />],
          ['Duration', <Elapsed key="d" from={run.startedAt} to={run.endedAt} />],
          ['User', run.user || '–'],
          [
            'Experiment',
            <Link key="e" to="/experiments/$experimentId" params={{ experimentId: run.experimentId }} className="bn-link">
              {run.experimentName}
            </Link>,
          ],
          [
            'Run id',
            <Group key="i" gap={4} wrap="nowrap">
              <code className="break">{run.id}</code>
              <CopyIcon text={run.id} label="Copy the run id" />
            </Group>,
          ],
          [
            'Artifacts',
            <code key="a" className="break">
              {run.artifactUri}
            </code>,
          ],
          ...(run.fork === null ? [] : [['Forked from', <ForkedFrom key="f" fork={run.fork} />] as [string, React.ReactNode]]),
          ...(run.forks.length === 0 ? [] : [['Forks', <Forks key="o" forks={run.forks} />] as [string, React.ReactNode]]),
          ...(run.lifecycleStage === 'deleted' ? [['State', 'deleted'] as [string, string]] : []),
        ]}
      />
    </Panel>
  );
}

function ForkedFrom({ fork }: { fork: NonNullable<RunDetail['fork']> }) {
  const at = ` at step ${formatNumber(fork.step)}`;
  return fork.name === null ? (
    <span className="break">
      {fork.runId} (no longer there){at}
    </span>
  ) : (
    <span className="break">
      <Link to="/runs/$runId" params={{ runId: fork.runId }} className="bn-link inline">
        {fork.name || fork.runId}
      </Link>
      {at}
    </span>
  );
}

function Forks({ forks }: { forks: RunDetail['forks'] }) {
  return (
    <ul style={{ margin: 0, padding: 0, listStyle: 'none', maxHeight: 180, overflow: 'auto' }}>
      {forks.map((fork) => (
        <li key={fork.runId} className="break">
          <Link to="/runs/$runId" params={{ runId: fork.runId }} className="bn-link inline">
            {fork.name || fork.runId}
          </Link>
          {` at step ${formatNumber(fork.step)}`}
        </li>
      ))}
    </ul>
  );
}
