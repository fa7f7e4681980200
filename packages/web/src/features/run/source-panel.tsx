import type { RunDetail } from '@binnacle/contract';
import { Button, Group } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useApi } from '../../app/api.ts';
import { CopyIcon } from '../../ui/bits.tsx';
import { formatBytes } from '../../ui/format.ts';
import { KeyValues, Panel } from '../../ui/page.tsx';
import { DiffView } from '../artifacts/diff-view.tsx';
import { nameOf, shownName } from '../artifacts/kinds.ts';
import { sourceOf } from './source.ts';

const FOLDER = 'source';
const DIFF = `${FOLDER}/uncommitted.diff`;
const MOST_FILES = 30;

/** What code made this run: program, commit, what was not committed, and the files that were kept. */
export function SourcePanel({ run }: { run: RunDetail }) {
  const source = sourceOf(run.tags);
  const captured = useApi('listRunArtifacts', { params: { runId: run.id }, query: { path: FOLDER } }, { staleTime: 60_000 });
  const files = captured.data?.files ?? [];
  const diff = files.find(({ path, size }) => path === DIFF && size !== 0);
  const others = files.filter(({ path }) => path !== DIFF);
  if (source === undefined && files.length === 0) return null;
  const items: [string, ReactNode][] = [];
  const add = (label: string, value: ReactNode) => value !== undefined && items.push([label, value]);
  add('Program', source?.name && <code className="break">{source.name}</code>);
  add('Kind', source?.type);
  add('Entry point', source?.entryPoint);
  add('Repository', source?.repository && <Outside href={source.repositoryHref}>{source.repository}</Outside>);
  add('Branch', source?.branch);
  add(
    'Commit',
    source?.commit && (
      <Group gap={4}>
        <Outside href={source.commitHref}>
          <code className="break">{source.commit}</code>
        </Outside>
        <CopyIcon text={source.commit} label="Copy the commit" />
        {source.dirty === true && <span style={{ color: 'var(--bn-warn)' }}>with uncommitted changes</span>}
      </Group>
    ),
  );
  add(
    'Files kept',
    others.length === 0 ? undefined : (
      <ul style={{ margin: 0, padding: 0, listStyle: 'none' }}>
        {others.slice(0, MOST_FILES).map(({ path, isDirectory, size }) => (
          <li key={path} className="break">
            <Link to="/runs/$runId" params={{ runId: run.id }} search={{ tab: 'artifacts', path: isDirectory ? `${path}/` : path }} className="bn-link inline">
              {shownName(nameOf(path))}
              {isDirectory ? '/' : ''}
            </Link>{' '}
            {!isDirectory && <span style={{ color: 'var(--bn-muted)' }}>{formatBytes(size)}</span>}
          </li>
        ))}
        {others.length > MOST_FILES && <li>and {others.length - MOST_FILES} more</li>}
      </ul>
    ),
  );
  return (
    <Panel title="Source">
      <KeyValues items={items} />
      {diff !== undefined && <Uncommitted run={run} />}
    </Panel>
  );
}

function Uncommitted({ run }: { run: RunDetail }) {
  const [open, setOpen] = useState(false);
  return (
    <div style={{ marginTop: 10 }}>
      <Button
        variant="default"
        aria-expanded={open}
        leftSection={open ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
        onClick={() => setOpen((o) => !o)}
      >
        Uncommitted changes
      </Button>
      {open && (
        <div style={{ marginTop: 8 }}>
          <DiffView file={{ runId: run.id, path: DIFF }} />
        </div>
      )}
    </div>
  );
}

function Outside({ href, children }: { href: string | undefined; children: ReactNode }) {
  return href === undefined ? (
    <span className="break">{children}</span>
  ) : (
    <a href={href} target="_blank" rel="noopener noreferrer" className="bn-link inline break">
      {children}
    </a>
  );
}
