import './artifacts.css';
import type { FileEntry } from '@binnacle/contract';
import { Button, NativeSelect, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconDownload, IconFile, IconFolder } from '@tabler/icons-react';
import { type KeyboardEvent, useState } from 'react';
import { useApi } from '../../app/api.ts';
import { formatBytes } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { ArtifactView } from './artifact-view.tsx';
import { nameOf, shownName } from './kinds.ts';
import { type ArtifactRef, artifactUrl } from './use-bytes.ts';

/** The artifacts of a run: a tree on the left, the chosen file on the right. */
export function ArtifactBrowser({
  runId,
  models,
  modelId,
  path,
  onPath,
}: {
  runId: string;
  /** Logged models of the run; each has files of its own. */
  models: { modelId: string; name: string }[];
  modelId: string | undefined;
  path: string | undefined;
  onPath: (path: string | undefined, modelId: string | undefined) => void;
}) {
  const [sizes, setSizes] = useState<Record<string, number | null>>({});
  return (
    <div className="bn-artifacts">
      <Panel title="Files">
        {(models.length > 0 || modelId !== undefined) && (
          <NativeSelect
            label="Of"
            mb="xs"
            value={modelId ?? ''}
            onChange={(e) => onPath(undefined, e.currentTarget.value === '' ? undefined : e.currentTarget.value)}
            data={[
              { value: '', label: 'the run' },
              ...models.map((m) => ({ value: m.modelId, label: `model ${m.name === '' ? m.modelId : m.name}` })),
              ...(modelId === undefined || models.some((m) => m.modelId === modelId) ? [] : [{ value: modelId, label: modelId }]),
            ]}
          />
        )}
        <div role="tree" aria-label="Artifacts" className="bn-files" tabIndex={-1} onKeyDown={onTreeKey}>
          <Folder
            key={modelId ?? ''}
            runId={runId}
            modelId={modelId}
            path=""
            depth={0}
            chosen={path}
            onChoose={(file) => {
              setSizes((s) => ({ ...s, [file.path]: file.size }));
              onPath(file.path, modelId);
            }}
          />
        </div>
      </Panel>
      <div>
        {path === undefined || path.endsWith('/') ? (
          <Panel>
            <Text c="dimmed" size="sm">
              Choose a file to look into it.
            </Text>
          </Panel>
        ) : (
          <Preview key={`${modelId ?? ''}/${path}`} file={{ runId, path, modelId }} size={sizes[path]} />
        )}
      </div>
    </div>
  );
}

/** Arrows as trees have them: up and down over what is open, right opens and goes in, left closes and goes out. */
function onTreeKey(event: KeyboardEvent<HTMLElement>): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=treeitem]')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const item = items[at];
  if (item === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const expanded = item.getAttribute('aria-expanded');
  const level = (of: HTMLElement | undefined) => Number(of?.getAttribute('aria-level'));
  const act = {
    ArrowDown: () => items[at + 1]?.focus(),
    ArrowUp: () => items[at - 1]?.focus(),
    Home: () => items[0]?.focus(),
    End: () => items[items.length - 1]?.focus(),
    ArrowRight: () => {
      if (expanded === 'false') item.click();
      else if (level(items[at + 1]) > level(item)) items[at + 1]?.focus();
    },
    ArrowLeft: () => {
      if (expanded === 'true') item.click();
      else
        items
          .slice(0, at)
          .findLast((other) => level(other) < level(item))
          ?.focus();
    },
  }[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

function Folder({
  runId,
  modelId,
  path,
  depth,
  chosen,
  onChoose,
}: {
  runId: string;
  modelId: string | undefined;
  path: string;
  depth: number;
  chosen: string | undefined;
  onChoose: (file: FileEntry) => void;
}) {
  const list = useApi('listRunArtifacts', { params: { runId }, query: { path, modelId } });
  if (list.isError) return <ErrorState error={list.error} retry={list.refetch} compact />;
  if (list.data === undefined) return <Loading lines={3} height={14} />;
  if (list.data.files.length === 0)
    return (
      <Text c="dimmed" size="sm">
        {depth === 0 ? (modelId === undefined ? 'The run has no artifacts.' : 'The model has no files.') : 'Empty'}
      </Text>
    );
  const files = [...list.data.files].sort((a, b) => Number(b.isDirectory) - Number(a.isDirectory) || a.path.localeCompare(b.path));
  return (
    <div role="group">
      {files.map((file) => (
        <Entry key={file.path} runId={runId} modelId={modelId} file={file} depth={depth} chosen={chosen} onChoose={onChoose} />
      ))}
    </div>
  );
}

function Entry({
  runId,
  modelId,
  file,
  depth,
  chosen,
  onChoose,
}: {
  runId: string;
  modelId: string | undefined;
  file: FileEntry;
  depth: number;
  chosen: string | undefined;
  onChoose: (file: FileEntry) => void;
}) {
  const [open, setOpen] = useState(file.isDirectory && chosen?.startsWith(`${file.path}/`) === true);
  const selected = chosen === file.path;
  return (
    <>
      <UnstyledButton
        role="treeitem"
        aria-selected={selected}
        aria-level={depth + 1}
        {...(file.isDirectory ? { 'aria-expanded': open } : {})}
        onClick={() => (file.isDirectory ? setOpen((o) => !o) : onChoose(file))}
        style={{
          display: 'flex',
          alignItems: 'center',
          gap: 6,
          width: '100%',
          padding: `4px 6px 4px ${6 + depth * 16}px`,
          borderRadius: 4,
          fontSize: 13,
          background: selected ? 'var(--bn-hover)' : undefined,
          fontWeight: selected ? 600 : 400,
        }}
      >
        {file.isDirectory ? open ? <IconChevronDown size={13} aria-hidden /> : <IconChevronRight size={13} aria-hidden /> : <span style={{ width: 13 }} />}
        {file.isDirectory ? <IconFolder size={15} aria-hidden /> : <IconFile size={15} aria-hidden />}
        <span className="clip" title={shownName(file.path)}>
          {shownName(nameOf(file.path))}
        </span>
        {!file.isDirectory && (
          <Text span size="xs" c="dimmed" ml="auto" className="nowrap">
            {formatBytes(file.size)}
          </Text>
        )}
      </UnstyledButton>
      {open && <Folder runId={runId} modelId={modelId} path={file.path} depth={depth + 1} chosen={chosen} onChoose={onChoose} />}
    </>
  );
}

function Preview({ file, size }: { file: ArtifactRef; size: number | null | undefined }) {
  const { path } = file;
  return (
    <Panel
      title={
        <span className="break" title={path}>
          {shownName(nameOf(path))}
        </span>
      }
      actions={
        <Button
          component="a"
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          href={artifactUrl(file)}
          download={nameOf(path)}
          title={size === null || size === undefined ? undefined : formatBytes(size)}
        >
          Download
        </Button>
      }
    >
      <ArtifactView file={file} size={size} />
    </Panel>
  );
}
