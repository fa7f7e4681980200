import { ActionIcon, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { formatAgo, formatTime, formatUtc } from './format.ts';

/** An instant: local time (or how long ago), with the other form and UTC in the tooltip. */
export function Time({ at, ago = false, seconds = true }: { at: number | null | undefined; ago?: boolean; seconds?: boolean }) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!ago || at === null || at === undefined || Date.now() - at > 3_600_000) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 10_000);
    return () => clearInterval(timer);
  }, [ago, at]);
  if (at === null || at === undefined) return <span>–</span>;
  const label = `${formatTime(at)} local\n${formatUtc(at)}`;
  return (
    <Tooltip label={<span style={{ whiteSpace: 'pre' }}>{label}</span>}>
      <time dateTime={new Date(at).toISOString()} className="nowrap">
        {ago ? formatAgo(at) : formatTime(at, seconds)}
      </time>
    </Tooltip>
  );
}

const TONES: Record<string, string> = {
  good: 'var(--bn-good)',
  bad: 'var(--bn-bad)',
  warn: 'var(--bn-warn)',
  busy: 'var(--bn-s1)',
  idle: 'var(--bn-muted)',
};
const STATES: Record<string, keyof typeof TONES> = {
  RUNNING: 'busy',
  SCHEDULED: 'idle',
  FINISHED: 'good',
  FAILED: 'bad',
  KILLED: 'warn',
  ready: 'good',
  loading: 'busy',
  failed: 'bad',
  degraded: 'warn',
  draining: 'warn',
  unloaded: 'idle',
  waiting: 'idle',
  good: 'good',
  bad: 'bad',
  deployed: 'good',
  rolled_back: 'warn',
  loaded: 'good',
  queued: 'idle',
  running: 'busy',
  succeeded: 'good',
  cancelled: 'warn',
  open: 'bad',
  closed: 'idle',
  warning: 'warn',
  critical: 'bad',
  READY: 'good',
  PENDING_REGISTRATION: 'busy',
  FAILED_REGISTRATION: 'bad',
  passed: 'good',
  refused: 'bad',
  forced: 'warn',
  drift: 'bad',
  ok: 'good',
};
/** A state as dot and word; the word carries the meaning, the colour only helps. */
export function State({ value, label }: { value: string; label?: string }) {
  const tone = TONES[STATES[value] ?? 'idle'];
  const hollow = (STATES[value] ?? 'idle') === 'idle';
  return (
    <span className="bn-state">
      <span className="bn-dot" aria-hidden style={hollow ? { border: `2px solid ${tone}` } : { background: tone }} />
      {label ?? value.toLowerCase().replaceAll('_', ' ')}
    </span>
  );
}

/** Copies without the clipboard API too, which browsers withhold from plain-HTTP pages. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyIcon({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void copyText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    });
  };
  return (
    <Tooltip label={copied ? 'Copied' : label}>
      <ActionIcon size="sm" aria-label={copied ? 'Copied' : label} onClick={copy}>
        {copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

/** The address of a path under /ui that the server named: "/runs/1", "runs/1" and "/ui/runs/1" all become "/ui/runs/1". */
export const uiPath = (href: string): string => `/ui/${href.replace(/^\/?(ui\/)?/, '')}`;
